import { GridError } from '../../../grid/errors.ts';
import type { TablePlan } from '../../../grid/history/sql-source.ts';
import type { BlockStream } from './block-stream.ts';
import { blockCopy, PLANNER_SETUP, type BlockRange } from './blocks.ts';
import type { PostgresSession, Task } from '../session/session.ts';
import { isTooLarge } from '../session/failure.ts';
import type { PageRange } from '../plan/splits.ts';
import { lockUnchanged } from '../catalogue/table-lock.ts';

export interface SplitReading {
  readonly plan: TablePlan;
  readonly range: PageRange;
  readonly withText: boolean;
  readonly proven: boolean;
  readonly task: Task;
}

/**
 * Reads the pages of a split into `stream`, block by block. A block whose text is too large to be made in one piece (1 GiB) is
 * read page by page, and a page row by row. Each statement runs in a savepoint of its own that is rolled back, so that an
 * error leaves the transaction usable and no lock on the table outlives the reading.
 *
 * @throws GridError `row-too-large`, and what `SnapshotReader.copy` throws
 */
export async function readSplit(
  connection: PostgresSession,
  reading: SplitReading,
  stream: BlockStream,
): Promise<void> {
  const { range } = reading;
  let from = range.from;
  for (;;) {
    const outcome = await readRange(connection, reading, stream, (pages) => ({
      unit: 'pages',
      from,
      to: range.to ?? Math.max(pages, from),
      pagesPerBlock: range.pagesPerBlock,
    }));
    if (outcome.kind === 'done') return;
    const after = Math.min(outcome.at + range.pagesPerBlock, range.to ?? Infinity);
    for (let page = outcome.at; page < after; page++) {
      await readPage(connection, reading, stream, page);
    }
    from = after;
    if (range.to !== null && from >= range.to) return;
  }
}

async function readPage(
  connection: PostgresSession,
  reading: SplitReading,
  stream: BlockStream,
  page: number,
): Promise<void> {
  const whole = await readRange(connection, reading, stream, () => ({
    unit: 'pages',
    from: page,
    to: page + 1,
    pagesPerBlock: 1,
  }));
  if (whole.kind === 'done') return;
  const rows = await readRange(connection, reading, stream, () => ({ unit: 'rows', page }));
  if (rows.kind === 'done') return;
  throw new GridError(
    'row-too-large',
    `${reading.task.attempt} (${connection.address}): the text of the row at ctid (${page},${rows.at}) of ${reading.range.name} is larger than PostgreSQL can make in one piece (1 GiB). Shorten it, or leave its large column out.`,
    { cause: rows.error },
  );
}

type Outcome =
  | { readonly kind: 'done' }
  /** The block (or row) `at` is too large; all before it were read. */
  | { readonly kind: 'too-large'; readonly at: number; readonly error: GridError };

async function readRange(
  connection: PostgresSession,
  reading: SplitReading,
  stream: BlockStream,
  rangeOf: (pages: number) => BlockRange,
): Promise<Outcome> {
  const { plan, range: split, withText, proven, task } = reading;
  return inSavepoint(connection, task, async () => {
    const { relation, pages } = await lockUnchanged(connection, split.relation, split.name, task);
    const range = rangeOf(pages);
    if (range.unit === 'pages' && range.to <= range.from) return { kind: 'done' };
    await connection.run(PLANNER_SETUP, task);
    stream.startStatement();
    try {
      const statement = blockCopy({ plan, relation, range, withText, proven });
      await connection.copyOut(statement, (piece) => stream.push(piece), task);
    } catch (error) {
      if (!(error instanceof GridError) || !isTooLarge(error.cause)) throw error;
      const step = range.unit === 'pages' ? range.pagesPerBlock : 1;
      const first = range.unit === 'pages' ? range.from : 1;
      const last = stream.lastBlock;
      return { kind: 'too-large', at: last === undefined ? first : last.start + step, error };
    }
    stream.endStatement();
    return { kind: 'done' };
  });
}

/** Runs `work` and takes back whatever it locked and set, also after an error of the server's. */
export async function inSavepoint<T>(connection: PostgresSession, task: Task, work: () => Promise<T>): Promise<T> {
  await connection.run('SAVEPOINT reading', task);
  try {
    return await work();
  } finally {
    if (connection.lost === undefined) {
      await connection
        .run('ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading', {
          attempt: task.attempt,
          signal: new AbortController().signal,
          limitMs: 10_000,
        })
        // The connection is of no use any more then, which the next call will say.
        .catch(() => undefined);
    }
  }
}
