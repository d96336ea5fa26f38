import { z } from 'zod';
import { tableResult, type ImportActivities } from './activity-contract.ts';
import { SOURCE_NAMES, sourceSnapshot, tableId } from '../../grid/history/sql-source.ts';
import { importInput } from './input.ts';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** Memo of a workflow that imports: the `runId` whose work it does. */
export const IMPORT_RUN_ID = 'importRunId';

/** Memo by which the schedule tells its zone (an IANA name) to the runs that it starts. */
export const BUSINESS_TIME_ZONE = 'businessTimeZone';

/** A table that was left undone, and why. It keeps what was imported of it before. */
export const parkedTable = z
  .object({
    table: tableId,
    /** An error code; `worker-failed` when the worker did not answer any more. */
    code: z.string(),
    reason: z.string(),
    /** Splits that kept failing, in order; empty when the table as a whole could not be read or published. */
    splits: z.array(z.number()).readonly(),
  })
  .readonly();
export type ParkedTable = z.output<typeof parkedTable>;

const importedTable = z.discriminatedUnion('state', [
  z.object({ state: z.literal('published'), ...tableResult.unwrap().shape }).readonly(),
  /** Nothing had changed since the last import. */
  z.object({ state: z.literal('unchanged'), table: tableId, rows: z.number() }).readonly(),
]);
export type ImportedTable = z.output<typeof importedTable>;

/** Result of `importSqlHistory`, and the detail of its failure `splits-parked`. */
export const importSummary = z
  .object({
    /** Names its directories in HDFS; `{"resume": "<runId>"}` takes up what it left undone. */
    runId: z.string(),
    source: z.enum(SOURCE_NAMES),
    product: z.string(),
    database: z.string(),
    /** The day that it stands for, YYYY-MM-DD. */
    businessDate: z.string(),
    mode: importInput.shape.mode.unwrap(),
    /** How far rows belong to one moment. */
    consistency: z.enum(['database', 'table', 'none']),
    notes: z.array(z.string()).readonly(),
    /** The moment that all tables are as of; absent where every table has its own. */
    snapshot: sourceSnapshot.exactOptional(),
    /** Tables that were published or found unchanged; of very many the first ones, see `tablesLeftOut`. */
    tables: z.array(importedTable).readonly(),
    tablesLeftOut: z.number(),
    /** Tables that nobody asked for by name and that cannot be imported, or are gone. */
    skipped: z.array(z.object({ table: tableId, reason: z.string() }).readonly()).readonly(),
    parked: z.array(parkedTable).readonly(),
    publishedTables: z.number(),
    unchangedTables: z.number(),
    skippedTables: z.number(),
    parkedTables: z.number(),
    /** Of the published tables: rows that this run imported. */
    rows: z.number(),
    textBytes: z.number(),
    fileBytes: z.number(),
    splits: z.number(),
    durationMs: z.number(),
  })
  .readonly();
export type ImportSummary = z.output<typeof importSummary>;

const importPhase = z.enum([
  'opening',
  'waiting for a snapshot',
  'copying',
  'publishing',
  'waiting for retryFailed',
  'ended',
]);
export type ImportPhase = z.output<typeof importPhase>;

const tableState = z.enum([
  'waiting',
  'planned',
  'copying',
  'copied',
  'publishing',
  'published',
  'unchanged',
  /** Something of it, or all, was left undone. */
  'parked',
  /** Dropped from the source meanwhile. */
  'gone',
]);
export type TableState = z.output<typeof tableState>;

const amounts = {
  splits: z.number(),
  splitsDone: z.number(),
  estimatedRows: z.number(),
  rows: z.number(),
  textBytes: z.number(),
};
const speed = { bytesPerSecond: z.number().exactOptional(), etaSeconds: z.number().exactOptional() };

/** How a table stands, as the workflows that work on it tell it. */
export const tableStanding = z
  .object({
    state: tableState,
    ...amounts,
    /** Why it is parked or gone. */
    reason: z.string().exactOptional(),
  })
  .readonly();
export type TableStanding = z.output<typeof tableStanding>;

/** Its speed is that since the table was begun. */
const tableProgress = z.object({ table: tableId, ...tableStanding.unwrap().shape, ...speed }).readonly();
export type TableProgress = z.output<typeof tableProgress>;

/** Answer to the query `progress` of `importSqlHistory`. */
export const importProgress = z
  .object({
    runId: z.string(),
    source: z.enum(SOURCE_NAMES).exactOptional(),
    database: z.string().exactOptional(),
    phase: importPhase,
    startedAt: z.string(),
    snapshot: sourceSnapshot.exactOptional(),
    /** Those being worked on and parked ones first; of very many not all, see `tablesLeftOut`. */
    tables: z.array(tableProgress).readonly(),
    tablesLeftOut: z.number(),
    total: z
      .object({
        tables: z.number(),
        /** Published, unchanged or gone. */
        tablesDone: z.number(),
        tablesParked: z.number(),
        ...amounts,
        /** Over the last minute. */
        ...speed,
      })
      .readonly(),
  })
  .readonly();
export type ImportProgress = z.output<typeof importProgress>;

/** Heartbeat of the activity `bringSplits`: how far its stretch is, which the workflow learns only when all of it is done. */
export const stretchHeartbeat = z.object({
  standing: z.object({ table: tableId, splitsDone: z.number(), rows: z.number(), textBytes: z.number() }).readonly(),
});
export type StretchHeartbeat = z.output<typeof stretchHeartbeat>;

export const importContract = {
  workflowType: 'importSqlHistory',
  summary: 'import tables of a SQL database into HDFS and Hive',
  input: importInput,
  example: { tables: ['public.readings'], mode: 'merge' },
  progress: importProgress,
  result: importSummary,
  activities: {
    openImport: 'jobs',
    holdSnapshot: 'jobs',
    planTable: 'source',
    bringSplits: 'source',
    publishTable: 'jobs',
    discardWork: 'jobs',
  } satisfies Readonly<Record<keyof ImportActivities, QueueName>>,
  schedule: { variables: 'NIGHTLY_IMPORT', timeZoneMemo: BUSINESS_TIME_ZONE },
} as const satisfies JobContract<typeof importInput, typeof importProgress, typeof importSummary>;
