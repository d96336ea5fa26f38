import { z } from 'zod';
import { SOURCE_NAMES, type SourceName } from '../../grid/history/sql-source.ts';

const sourceName = z
  .enum([...SOURCE_NAMES, 'postgresql', 'mssql'])
  .transform((name): SourceName => (name === 'postgres' || name === 'postgresql' ? 'postgres' : 'sqlserver'));

const tableName = z.string().trim().min(1).max(300);
const perTable = <T extends z.ZodType>(value: T) => z.union([value, z.record(tableName, value)]);

const telemetryColumn = z.union([
  z.strictObject({ column: z.string().min(1) }),
  z.strictObject({ constant: z.string().min(1) }),
]);

/**
 * How the rows of a table read as readings. What the table lacks is declared as a constant: the unit, the aspect, and for
 * a time column without a zone the zone (an IANA name).
 */
export const telemetryMapping = z.strictObject({
  sensorId: telemetryColumn,
  /**
   * `{constant}` is an ISO time with its offset, for tables that have none. `format` says how text or numbers are to be read, in the
   * terms of file sources: `iso` (default of text), `epoch-seconds` (default of numbers), `epoch-milliseconds`, `epoch-microseconds`,
   * `epoch-nanoseconds`, or a pattern such as `DD.MM.YYYY HH:mm`.
   */
  time: z.union([
    z.strictObject({ column: z.string().min(1), format: z.string().min(1).max(100).exactOptional() }),
    z.strictObject({ constant: z.string().min(1) }),
  ]),
  /** Zone of a time column that has none. */
  zone: z.string().min(1).default('UTC'),
  value: z.strictObject({ column: z.string().min(1) }),
  unit: telemetryColumn,
  aspect: telemetryColumn.default({ constant: 'real_time' }),
});
export type TelemetryMapping = z.output<typeof telemetryMapping>;

/** Input of the workflow `importSqlHistory`; `{}` imports every table of the configured source whole. */
export const importInput = z.strictObject({
  /** Default: the source that is configured, `postgres` before `sqlserver`. */
  source: sourceName.optional(),
  /** `schema.table`, or `table` where that names only one; default all that may be read. A name matches case by case. */
  tables: z.array(tableName).min(1).max(10_000).optional(),
  /** Left out of `tables`, or of all. */
  exclude: z.array(tableName).max(10_000).default([]),
  /**
   * `full` replaces what was imported before. `incremental` appends rows that are new since the last import, and refuses a
   * table whose rows were updated or deleted. `merge` also takes over updated rows, by primary key; a table without a key is
   * imported whole when it has changed. A table that was never imported is imported whole by each of them.
   */
  mode: z.enum(['full', 'incremental', 'merge']).default('full'),
  /** Column that grows with each change; needed by SQL Server tables without a rowversion column. One for all, or by table. */
  cursor: perTable(z.string().min(1)).optional(),
  /** With `merge`: rows that are gone from the source go from the table as well. */
  reconcile: z.boolean().default(false),
  splitRows: z.int().min(1).max(1_000_000_000).optional(),
  /** Source connections of this run, the one that holds the snapshot included; at least 2 where there is one. */
  maxConnections: z.int().min(1).max(1_000).optional(),
  /** Of all connections together. */
  maxBytesPerSecond: z.int().min(1).optional(),
  /** What is done with a column that cannot be kept as its own type: refuse the table, keep its text, or leave it out. */
  onUnsupported: z.enum(['refuse', 'text', 'skip']).default('refuse'),
  /** Digests of every block of rows, computed by the database, are compared with what is written. */
  verify: z.boolean().default(true),
  /** What a run with parked splits does when all else is done: fail, or wait for the signal `retryFailed`. */
  onParked: z.enum(['fail', 'wait']).default('fail'),
  /** How long it waits then, hours. */
  parkedWaitHours: z
    .number()
    .positive()
    .max(24 * 365)
    .default(72),
  /** Which tables are telemetry; over the configured file. */
  telemetry: z.record(tableName, telemetryMapping).optional(),
  /** The day that the run stands for, YYYY-MM-DD; default: the scheduled start's, else today's, in UTC. */
  businessDate: z.iso.date().optional(),
  /** Run whose unfinished work is taken up: the `runId` of a failed import. */
  resume: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d-[0-9a-f]{12}$/)
    .optional(),
});
export type ImportInput = z.output<typeof importInput>;
