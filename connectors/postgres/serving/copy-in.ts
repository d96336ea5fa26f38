import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import { asGridError } from '../../../grid/errors.ts';
import { servingFailure } from './failure.ts';
import type { ServingTransaction } from './serving-database.ts';

/**
 * Fills a table from text in COPY's own format: tab separated, `\N` for NULL, backslash escapes.
 *
 * @param target table and columns, quoted where need be
 * @param text the rows; what it fails with is passed on
 * @throws GridError `serving-database-refused`: a row that the table does not take
 */
export async function copyIn(
  { client }: ServingTransaction,
  target: string,
  text: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  let sourceFailure: Error | undefined;
  const source = async function* (): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* text;
    } catch (error) {
      sourceFailure = asGridError(error, `Reading what is to be copied into ${target}`);
      throw sourceFailure;
    }
  };
  try {
    await pipeline(Readable.from(source(), { objectMode: false }), client.query(from(`COPY ${target} FROM STDIN`)), {
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw sourceFailure ?? servingFailure(error, `Copying into ${target}`);
  }
}
