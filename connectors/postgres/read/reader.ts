import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type {
  CopiedSplit,
  PlanOptions,
  RowCounts,
  SnapshotReader,
  SourceSnapshot,
  SplitDigest,
  TableId,
  TablePlan,
} from '../../../grid/history/sql-source.ts';
import { BlockStream } from './block-stream.ts';
import { describeTable } from '../catalogue/catalogue.ts';
import { OUT_OF_RANGE } from '../plan/types.ts';
import { PostgresSession, type PostgresSettings, type Task } from '../session/session.ts';
import { sqlState } from '../session/failure.ts';
import { literal, quoted } from '../sql-text.ts';
import { parsePosition } from '../snapshot/position.ts';
import { aboutServer, type PostgresServer } from '../catalogue/server-facts.ts';
import { beginAtNewSnapshot } from '../snapshot/snapshot.ts';
import { pageRange } from '../plan/splits.ts';
import { inSavepoint, readSplit } from './split-reading.ts';
import { lockUnchanged } from '../catalogue/table-lock.ts';
import { planTable } from '../plan/table-plan.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

const COUNTS = z.object({ rows: z.string().transform(Number), chosen: z.string().transform(Number) });
const POSITION = z.object({ position: z.string() });
const HIGHEST = z.object({ highest: z.string().nullable() });

interface Described {
  readonly oid: string;
  readonly identity: string;
}

/** Leaves that one statement counts. */
const LEAVES_PER_COUNT = 50;

/**
 * One session in a read-only transaction at one snapshot. Tables are locked (ACCESS SHARE) only while they are read, so a
 * TRUNCATE or ALTER waits for one split at most; each reading makes sure first that none came in between.
 */
export class PostgresReader implements SnapshotReader {
  readonly snapshot: SourceSnapshot;
  readonly #connection: PostgresSession;
  readonly #server: PostgresServer;
  /** What the catalogue has at this snapshot, by table. */
  readonly #described = new Map<string, Described>();

  private constructor(snapshot: SourceSnapshot, connection: PostgresSession, server: PostgresServer) {
    this.snapshot = snapshot;
    this.#connection = connection;
    this.#server = server;
  }

  /** @throws GridError `snapshot-lost`, and what connecting throws */
  static async open(
    settings: PostgresSettings,
    snapshot: SourceSnapshot | undefined,
    signal: AbortSignal,
  ): Promise<PostgresReader> {
    const connection = await PostgresSession.open(settings, signal);
    try {
      const task = { attempt: 'Opening a snapshot', signal };
      const server = await aboutServer(connection, task);
      if (snapshot !== undefined) await beginAt(connection, snapshot, { ...task, limitMs: settings.connectTimeoutMs });
      const taken = snapshot ?? (await beginAtNewSnapshot(connection, false, task));
      return new PostgresReader(taken, connection, server);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  plan(table: TableId, options: PlanOptions, signal: AbortSignal): Promise<TablePlan> {
    return this.#reading(`Planning ${nameOfTable(table)}`, signal, async (task) => {
      const plan = await inSavepoint(this.#connection, task, () =>
        planTable(this.#connection, this.#server, table, options, task),
      );
      return { ...plan, provenAt: this.snapshot.position };
    });
  }

  count(plan: TablePlan, signal: AbortSignal): Promise<RowCounts> {
    return this.#reading(`Counting the rows of ${nameOfTable(plan.table)}`, signal, async (task) => {
      await this.#confirm(plan, task);
      const leaves = new Map(
        plan.splits.map((split) => {
          const { relation, name } = pageRange(split, task.attempt);
          return [relation, name];
        }),
      );
      const all = [...leaves];
      let rows = 0;
      let chosen = 0;
      for (let at = 0; at < all.length; at += LEAVES_PER_COUNT) {
        const counts = await this.#countLeaves(plan, all.slice(at, at + LEAVES_PER_COUNT), task);
        rows += counts.rows;
        chosen += counts.chosen;
      }
      return { rows, chosen };
    });
  }

  async copy(
    plan: TablePlan,
    split: number,
    write: (chunk: Buffer) => Promise<void>,
    { verify, signal }: { readonly verify: boolean; readonly signal: AbortSignal },
  ): Promise<CopiedSplit> {
    const attempt = `Copying split ${split} of ${nameOfTable(plan.table)}`;
    const stream = await this.#readSplit(plan, split, write, verify, attempt, signal);
    return { rows: stream.rows, digest: stream.digest(), textBytes: stream.textBytes };
  }

  async digest(plan: TablePlan, split: number, signal: AbortSignal): Promise<SplitDigest> {
    const attempt = `Comparing split ${split} of ${nameOfTable(plan.table)}`;
    const stream = await this.#readSplit(plan, split, undefined, false, attempt, signal);
    return { rows: stream.rows, digest: stream.digest() };
  }

  highest(plan: TablePlan, column: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#reading(`Finding the highest ${column} of ${nameOfTable(plan.table)}`, signal, async (task) => {
      const oid = await this.#confirm(plan, task);
      return inSavepoint(this.#connection, task, async () => {
        const { relation } = await lockUnchanged(this.#connection, oid, nameOfTable(plan.table), task);
        const name = `r.${quoted(column)}`;
        const sql = `SELECT ${name}::text AS highest FROM ${relation} AS r WHERE ${name} IS NOT NULL ORDER BY ${name} DESC LIMIT 1`;
        try {
          const [row] = await this.#connection.rows(HIGHEST, sql, task);
          return row?.highest ?? undefined;
        } catch (error) {
          // The table is what it was, so it is the column that was asked for.
          if (!(error instanceof GridError) || !NOT_AS_PLANNED.has(sqlState(error.cause) ?? '')) throw error;
          throw new GridError(
            'unknown-column',
            `${error.message} The column does not exist, or its type has no order: name another one.`,
            { cause: error.cause },
          );
        }
      });
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #readSplit(
    plan: TablePlan,
    split: number,
    write: ((chunk: Buffer) => Promise<void>) | undefined,
    verify: boolean,
    attempt: string,
    signal: AbortSignal,
  ): Promise<BlockStream> {
    const where = `${attempt} (${this.#connection.address})`;
    const stream = new BlockStream({ verify, where, write: write ?? (() => Promise.resolve()) });
    const reading = this.#reading(attempt, signal, async (task) => {
      await this.#confirm(plan, task);
      const range = pageRange(plan.splits[split], where);
      const proven = plan.provenAt === this.snapshot.position;
      await readSplit(this.#connection, { plan, range, withText: write !== undefined, proven, task }, stream);
    });
    await stream.while(reading, signal);
    // The session is at rest already: what is slow now is not the source.
    await stream.flush();
    signal.throwIfAborted();
    return stream;
  }

  /** Makes sure that the table is at this snapshot what the plan was made for. @returns its oid */
  async #confirm(plan: TablePlan, task: Task): Promise<string> {
    const described = await this.#describedOnce(plan, task);
    if (described.identity !== plan.identity) {
      throw new GridError(
        'table-changed',
        `${task.attempt} (${this.#connection.address}): ${nameOfTable(plan.table)} was dropped and made anew, truncated, rewritten or altered, or has other partitions, since it was planned. It has to be planned again.`,
      );
    }
    return described.oid;
  }

  async #countLeaves(
    plan: TablePlan,
    leaves: readonly (readonly [string, string])[],
    task: Task,
  ): Promise<z.output<typeof COUNTS>> {
    return inSavepoint(this.#connection, task, async () => {
      const parts: string[] = [];
      const chosen = plan.condition === undefined ? 'count(*)' : `count(*) FILTER (WHERE ${plan.condition})`;
      for (const [oid, name] of leaves) {
        const { relation } = await lockUnchanged(this.#connection, oid, name, task);
        parts.push(`SELECT count(*) AS rows, ${chosen} AS chosen FROM ONLY ${relation} AS r`);
      }
      const sql = `SELECT sum(rows)::text AS rows, sum(chosen)::text AS chosen FROM (${parts.join(' UNION ALL ')}) AS leaf`;
      return this.#connection.row(COUNTS, sql, task);
    });
  }

  async #describedOnce({ table }: TablePlan, task: Task): Promise<Described> {
    const name = JSON.stringify([table.schema, table.name]);
    const before = this.#described.get(name);
    if (before !== undefined) return before;
    const described = await inSavepoint(this.#connection, task, () => describeTable(this.#connection, table, task));
    const { oid, identity } = described;
    this.#described.set(name, { oid, identity });
    return { oid, identity };
  }

  async #reading<T>(attempt: string, signal: AbortSignal, work: (task: Task) => Promise<T>): Promise<T> {
    try {
      return await work({ attempt, signal });
    } catch (error) {
      throw error instanceof GridError ? (readingFailure(error) ?? error) : error;
    }
  }
}

/** Names and types that the plan's expressions use and that are not there any more: class 42 but for rights and tables. */
const NOT_AS_PLANNED = new Set(['42703', '42704', '42804', '42809', '42846', '42883', '42P13', '42P17', '42P18']);

/** What an answer means while a table is read, where that is more than it means anywhere. */
function readingFailure(error: GridError): GridError | undefined {
  if (error.code === 'unknown-column') return undefined;
  const state = sqlState(error.cause);
  if (state === undefined) return undefined;
  const { message } = error;
  const cause = { cause: error.cause };
  if (state === '22P02' && message.includes(OUT_OF_RANGE)) {
    return new GridError(
      'unsupported-column',
      `${message} The value came after the table was planned: import the table again, so that it is planned anew.`,
      cause,
    );
  }
  if (NOT_AS_PLANNED.has(state)) {
    return new GridError('table-changed', `${message} The table is not what it was when it was planned.`, cause);
  }
  return undefined;
}

/** @throws GridError `snapshot-lost` */
async function beginAt(connection: PostgresSession, snapshot: SourceSnapshot, task: Task): Promise<void> {
  const lost = (reason: string, cause?: unknown): GridError =>
    new GridError(
      'snapshot-lost',
      `${task.attempt} ${snapshot.id} (${connection.address}): ${reason}. Another one has to be taken.`,
      { cause },
    );
  await connection.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', task);
  try {
    await connection.run(`SET TRANSACTION SNAPSHOT ${literal(snapshot.id)}`, task);
  } catch (error) {
    if (!(error instanceof GridError) || error.code === 'source-unavailable') throw error;
    const cause: unknown = error.cause;
    throw lost(cause instanceof Error ? cause.message : error.message, cause);
  }
  const { position } = await connection.row(POSITION, 'SELECT pg_current_snapshot()::text AS position', task);
  // After a restart the server may give out the same name again.
  const now = parsePosition(position);
  const asked = parsePosition(snapshot.position);
  const listed = new Set(asked.running);
  const same =
    now.lowest === asked.lowest &&
    now.bound >= asked.bound &&
    now.running.every((xid) => xid >= asked.bound || listed.has(xid));
  if (same) return connection.setUpTransaction(task);
  throw lost('it is another one of the same name, of a server that was restarted');
}
