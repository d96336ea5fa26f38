import type { EventEmitter } from 'node:events';
import { withoutRows, type RowTaker } from './wire-reply.ts';

/** What the driver keeps to itself of a connection, as far as it is touched here. */
const MAKES_PARSER = 'createTokenStreamParser';

/**
 * Comes between a connection and the driver's reading of replies. Rows go to `taker`, while there is one. And the driver reads replies
 * with a stream whose errors nobody listens to, so that a reply which ends within a token, or holds one that it does not know,
 * ends the whole process: this listens, and `onBroken` is to close the connection, which fails the statement.
 *
 * @throws Error when the driver is built otherwise
 */
export function guardReplies(
  connection: EventEmitter,
  taker: () => RowTaker | undefined,
  onBroken: (error: unknown) => void,
): void {
  const makeParser: unknown = Reflect.get(connection, MAKES_PARSER);
  if (typeof makeParser !== 'function') throw new Error(`the SQL Server driver has no ${MAKES_PARSER} any more`);
  Reflect.set(connection, MAKES_PARSER, (message: AsyncIterable<Buffer>, ...others: unknown[]): unknown => {
    const rows = taker();
    const made: unknown = Reflect.apply(makeParser, connection, [
      rows === undefined ? message : withoutRows(message, rows, onBroken),
      ...others,
    ]);
    const stream: unknown = typeof made === 'object' && made !== null ? Reflect.get(made, 'parser') : undefined;
    if (!isEmitter(stream)) throw new Error('the SQL Server driver reads replies in another way than it did');
    stream.on('error', onBroken);
    return made;
  });
}

function isEmitter(value: unknown): value is EventEmitter {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'on') === 'function';
}
