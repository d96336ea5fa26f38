import type { EventEmitter } from 'node:events';

/** What the driver keeps to itself of a connection, as far as it is touched here. */
const MAKES_PARSER = 'createTokenStreamParser';

/**
 * The driver reads replies with a stream whose errors nobody listens to, so that a reply which ends within a row, or holds a
 * token that it does not know, ends the whole process. This listens: `onBroken` is to close the connection, which fails the
 * statement. With a driver that is built otherwise it does nothing.
 */
export function guardReplies(connection: EventEmitter, onBroken: (error: unknown) => void): void {
  const makeParser: unknown = Reflect.get(connection, MAKES_PARSER);
  if (typeof makeParser !== 'function') return;
  Reflect.set(connection, MAKES_PARSER, (...parts: unknown[]): unknown => {
    const made: unknown = Reflect.apply(makeParser, connection, parts);
    const stream: unknown = typeof made === 'object' && made !== null ? Reflect.get(made, 'parser') : undefined;
    if (isEmitter(stream)) stream.on('error', onBroken);
    return made;
  });
}

function isEmitter(value: unknown): value is EventEmitter {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'on') === 'function';
}
