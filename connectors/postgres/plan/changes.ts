import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { PostgresSession, Task } from '../session/session.ts';
import { formatPosition, parsePosition } from '../snapshot/position.ts';

/**
 * Rows carry the low 32 bits of their transaction's number. It is unambiguous for rows of the last 2^31 transactions, so a
 * position must not be older; a tenth less, since transactions go on while a table is read.
 */
const MAX_AGE = (2n ** 31n * 9n) / 10n;
const LOW_32_BITS = 0xffff_ffffn;

const NOW = z.object({ bound: z.string().transform(BigInt) });

/**
 * The SQL condition of rows whose version was made by a transaction that `position` does not see: inserted or updated since,
 * whenever the transaction began.
 *
 * `age()` counts back from one number that stays the same within a transaction, here `reference`. A row is
 *
 * - surely old when its age is greater than that of the position's oldest running transaction; also when it is not
 *   positive (frozen, more than 2^31 transactions ago), or 2^31 - 1 (xids with a special meaning);
 * - else its full number is reference - age, and the position tells.
 *
 * A row that was frozen more than 2^32 transactions ago may look new. It then counts as changed, never the other way round.
 *
 * @throws GridError `append-impossible` when the position is too old, or of the future
 */
export async function changesSince(connection: PostgresSession, since: string, task: Task): Promise<string> {
  const position = parsePosition(since);
  const { bound } = await connection.row(NOW, 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS bound', task);
  const where = `${task.attempt} (${connection.address})`;
  if (position.bound > bound) {
    throw new GridError(
      'append-impossible',
      `${where}: the last import was at transaction ${position.bound}, but the database is only at ${bound}: it was restored from a backup. Import the table whole.`,
    );
  }
  if (bound - position.lowest > MAX_AGE) {
    throw new GridError(
      'append-impossible',
      `${where}: the last import is ${bound - position.lowest} transactions ago, further back than rows can be told apart. Import the table whole.`,
    );
  }
  return changedRows(position.lowest, formatPosition(position));
}

function changedRows(lowest: bigint, position: string): string {
  const reference = `(SELECT pg_snapshot_xmax(s)::text::int8 + age(pg_snapshot_xmax(s)::xid) FROM pg_current_snapshot() AS s)`;
  const oldest = `(SELECT age('${lowest & LOW_32_BITS}'::xid))`;
  return `CASE WHEN age(r.xmin) BETWEEN 1 AND ${oldest} THEN NOT pg_visible_in_snapshot((${reference} - age(r.xmin))::text::xid8, '${position}'::pg_snapshot) ELSE false END`;
}
