import { GridError } from '../../../grid/errors.ts';

/**
 * Which transactions' rows a snapshot sees, in the form of PostgreSQL's type `pg_snapshot` (`xmin:xmax:xip,…`): all below
 * `lowest`, and those below `bound` that are not in `running`. Xids are 64 bits wide, epoch included.
 */
export interface Position {
  readonly lowest: bigint;
  readonly bound: bigint;
  /** Ascending, subtransactions included. */
  readonly running: readonly bigint[];
}

/** A transaction with many savepoints must not make a position long: beyond so many, all later ones count as not seen. */
const MAX_RUNNING = 1_000;
const FORM = /^(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)$/;

/** @throws GridError `append-impossible` when it is no position of PostgreSQL's. */
export function parsePosition(text: string): Position {
  const [, lowest, bound, running] = FORM.exec(text) ?? [];
  if (lowest === undefined || bound === undefined || running === undefined) {
    throw new GridError(
      'append-impossible',
      `Reading the position "${text.slice(0, 100)}" of an earlier import: it is not one of PostgreSQL's. Import the table whole.`,
    );
  }
  return {
    lowest: BigInt(lowest),
    bound: BigInt(bound),
    running: running === '' ? [] : running.split(',').map(BigInt),
  };
}

export function formatPosition({ lowest, bound, running }: Position): string {
  return `${lowest}:${bound}:${running.join(',')}`;
}

/** The position with further transactions of which no row is seen. */
export function withRunning(position: Position, more: readonly bigint[]): Position {
  const all = [...new Set([...position.running, ...more])]
    .filter((xid) => xid >= position.lowest && xid < position.bound)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const first = all[MAX_RUNNING];
  if (first === undefined) return { ...position, running: all };
  return { lowest: position.lowest, bound: first, running: all.slice(0, MAX_RUNNING) };
}

/** The position of which it is known only that all below its lowest are seen. */
export function lowestOnly({ lowest }: Position): Position {
  return { lowest, bound: lowest, running: [] };
}
