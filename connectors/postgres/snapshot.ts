import { z } from 'zod';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import type { PostgresConnection, Task } from './connection.ts';
import { formatPosition, lowestOnly, parsePosition, withRunning, type Position } from './position.ts';

/** More transactions than this between the oldest that runs and now are not asked about. */
const MAX_XIDS_TO_ASK_ABOUT = 10_000_000n;
const MAX_TRIES = 20;

const xid = z.string().regex(/^\d+$/).transform(BigInt);
const xids = z.string().transform((text) => (text === '' ? [] : text.split(',').map(BigInt)));
const RANGE = z.object({ recovering: z.enum(['t', 'f']), lowest: xid, bound: xid });
const TAKEN = z.object({ id: z.string(), position: z.string(), taken_at: z.string() });
const ASKED = z.object({ bound: xid, running: xids });
const ATTEMPT = z.tuple([
  ASKED,
  TAKEN,
  z.object({ running: xids, ended: xids }),
  z.object({ all_run_on: z.enum(['true', 'false']) }),
]);

/** Transactions that were asked about: those below `bound` that ran then. */
type Asked = z.output<typeof ASKED>;

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
const CLOCK = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00'`;
const RANGE_NOW = `SELECT pg_is_in_recovery() AS recovering, pg_snapshot_xmin(s)::text AS lowest, pg_snapshot_xmax(s)::text AS bound
  FROM pg_current_snapshot() AS s`;

/**
 * Begins a transaction at a new snapshot.
 *
 * Its position has to say of every xid whether its rows are seen. `pg_current_snapshot()` alone does not: it lists the
 * transactions that run, but not their subtransactions (savepoints, exception blocks), whose own xids stand in rows.
 * `pg_xact_status()` knows those, but speaks of now, not of the snapshot. So it is asked before and after:
 *
 * - A subtransaction of a transaction that runs at the snapshot ran when asked before, or its xid is beyond those asked about.
 * - What runs afterwards as well is not seen. What has ended by then is seen, if every transaction that ran at the
 *   snapshot runs on; else it might have been a part of one that ended, and another snapshot is taken.
 *
 * If that never works out, doubtful ones count as not seen: the next import takes their rows for changed, but misses none. The
 * same goes for a standby, whose list is empty, and for very old transactions.
 *
 * @param share whether other connections may read at it.
 */
export async function beginAtNewSnapshot(
  connection: PostgresConnection,
  share: boolean,
  task: Task,
): Promise<SourceSnapshot> {
  const snapshot = await takeSnapshot(connection, share, task);
  await connection.setUpTransaction(task);
  return snapshot;
}

async function takeSnapshot(connection: PostgresConnection, share: boolean, task: Task): Promise<SourceSnapshot> {
  const take = `SELECT ${share ? 'pg_export_snapshot()' : "''"} AS id, pg_current_snapshot()::text AS position, ${CLOCK} AS taken_at`;
  const { recovering, lowest, bound } = await connection.row(RANGE, RANGE_NOW, task);
  if (recovering === 't' || bound - lowest > MAX_XIDS_TO_ASK_ABOUT) {
    const taken = z.tuple([TAKEN]).parse(await connection.firstRows(`${BEGIN}; ${take}`, task))[0];
    return snapshotOf(taken, lowestOnly(parsePosition(taken.position)));
  }
  // This one may take long, so it is done ahead of those that must be quick.
  let asked = await connection.row(ASKED, ask({ bound: lowest, running: [] }), task);
  for (let tries = 1; ; tries++) {
    // In one go, so that next to nothing happens in between.
    const script = [`BEGIN`, ask(asked), `COMMIT`, BEGIN, take, askAfter(asked), ALL_RUN_ON].join('; ');
    const [before, taken, after, tops] = ATTEMPT.parse(await connection.firstRows(script, task));
    const ranBefore = new Set(before.running);
    const doubtful = after.ended.filter((ended) => ended >= before.bound || ranBefore.has(ended));
    const position = parsePosition(taken.position);
    if (doubtful.length === 0 || tops.all_run_on === 'true') {
      return snapshotOf(taken, withRunning(position, after.running));
    }
    if (tries === MAX_TRIES) return snapshotOf(taken, withRunning(position, [...after.running, ...doubtful]));
    await connection.run('ROLLBACK', task);
    asked = before;
  }
}

function snapshotOf(taken: z.output<typeof TAKEN>, position: Position): SourceSnapshot {
  return { id: taken.id, position: formatPosition(position), takenAt: taken.taken_at };
}

/** Xids that ran when `asked`, and all later ones. */
function candidates({ bound, running }: Asked): string {
  return `(SELECT unnest('{${running.join(',')}}'::int8[]) UNION ALL
    SELECT generate_series(${bound}, pg_snapshot_xmax(s)::text::int8 - 1)) AS candidate(xid)`;
}

/** The bound is that of the statement's own snapshot, taken before any status is looked up. */
function ask(asked: Asked): string {
  return `SELECT pg_snapshot_xmax(s)::text AS bound,
    (SELECT coalesce(string_agg(xid::text, ','), '') FROM ${candidates(asked)}
      WHERE pg_xact_status(xid::text::xid8) = 'in progress') AS running
    FROM pg_current_snapshot() AS s`;
}

/** What became of those that the snapshot does not list, as far as they committed or still run. */
function askAfter(asked: Asked): string {
  return `SELECT coalesce(string_agg(xid::text, ',') FILTER (WHERE status = 'in progress'), '') AS running,
    coalesce(string_agg(xid::text, ',') FILTER (WHERE status = 'committed'), '') AS ended
    FROM pg_current_snapshot() AS s, LATERAL (SELECT xid, pg_xact_status(xid::text::xid8) AS status FROM ${candidates(asked)}
      WHERE xid >= pg_snapshot_xmin(s)::text::int8 AND pg_visible_in_snapshot(xid::text::xid8, s) OFFSET 0) AS candidate`;
}

/** Asked last: what runs now has run all the time. */
const ALL_RUN_ON = `SELECT coalesce(bool_and(pg_xact_status(xid) = 'in progress'), true)::text AS all_run_on
  FROM pg_snapshot_xip(pg_current_snapshot()) AS xid`;
