/** What an import tells about itself: its result, its progress, and the result of retrying failed runs. Plain data. */
import type { ImportInput, SourceName } from '../../grid/history/import-input.ts';
import type { TableResult } from '../../grid/history/import-activities.ts';
import type { SourceIdentity, SourceSnapshot, TableId } from '../../grid/history/sql-source.ts';

/** Memo of a workflow that imports: the `runId` whose work it does. */
export const IMPORT_RUN_ID = 'importRunId';

/** A table that was left undone, and why. It keeps what was imported of it before. */
export interface ParkedTable {
  readonly table: TableId;
  /** An error code; `worker-failed` when the worker did not answer any more. */
  readonly code: string;
  readonly reason: string;
  /** Splits that kept failing; empty when the table as a whole could not be read or published. */
  readonly splits: readonly number[];
}

export type ImportedTable =
  | ({ readonly state: 'published' } & TableResult)
  /** Nothing had changed since the last import. */
  | { readonly state: 'unchanged'; readonly table: TableId; readonly rows: number };

/** Result of `importSqlHistory`, and the detail of its failure `splits-parked`. */
export interface ImportSummary {
  /** Names its directories in HDFS; `{"resume": "<runId>"}` takes up what it left undone. */
  readonly runId: string;
  readonly source: SourceName;
  readonly product: string;
  readonly database: string;
  /** The day that it stands for, YYYY-MM-DD. */
  readonly businessDate: string;
  readonly mode: ImportInput['mode'];
  /** How far rows belong to one moment. */
  readonly consistency: SourceIdentity['consistency'];
  readonly notes: readonly string[];
  /** The moment that all tables are as of; absent where every table has its own. */
  readonly snapshot?: SourceSnapshot;
  /** Tables that were published or found unchanged; of very many the first ones, see `tablesLeftOut`. */
  readonly tables: readonly ImportedTable[];
  readonly tablesLeftOut: number;
  /** Tables that nobody asked for by name and that cannot be imported, or are gone. */
  readonly skipped: readonly { readonly table: TableId; readonly reason: string }[];
  readonly parked: readonly ParkedTable[];
  readonly publishedTables: number;
  readonly unchangedTables: number;
  readonly skippedTables: number;
  readonly parkedTables: number;
  /** Of the published tables: rows that this run imported. */
  readonly rows: number;
  readonly textBytes: number;
  readonly fileBytes: number;
  readonly splits: number;
  readonly durationMs: number;
}

export type ImportPhase =
  'opening' | 'waiting for a snapshot' | 'copying' | 'publishing' | 'waiting for retryFailed' | 'ended';

export type TableState =
  | 'waiting'
  | 'planned'
  | 'copying'
  | 'copied'
  | 'publishing'
  | 'published'
  | 'unchanged'
  /** Something of it, or all, was left undone. */
  | 'parked'
  /** Dropped from the source meanwhile. */
  | 'gone';

export interface TableProgress {
  readonly table: TableId;
  readonly state: TableState;
  readonly splits: number;
  readonly splitsDone: number;
  readonly estimatedRows: number;
  readonly rows: number;
  readonly textBytes: number;
  /** Since the table was begun. */
  readonly bytesPerSecond?: number;
  readonly etaSeconds?: number;
  /** Why it is parked or gone. */
  readonly reason?: string;
}

/** Answer to the query `progress` of `importSqlHistory`. */
export interface ImportProgress {
  readonly runId: string;
  readonly source?: SourceName;
  readonly database?: string;
  readonly phase: ImportPhase;
  readonly startedAt: string;
  readonly snapshot?: SourceSnapshot;
  /** Those being worked on and parked ones first; of very many not all, see `tablesLeftOut`. */
  readonly tables: readonly TableProgress[];
  readonly tablesLeftOut: number;
  readonly total: {
    readonly tables: number;
    /** Published, unchanged or gone. */
    readonly tablesDone: number;
    readonly tablesParked: number;
    readonly splits: number;
    readonly splitsDone: number;
    readonly estimatedRows: number;
    readonly rows: number;
    readonly textBytes: number;
    /** Over the last minute. */
    readonly bytesPerSecond?: number;
    readonly etaSeconds?: number;
  };
}

/** One run that `retryFailedBackfills` found. */
export interface RetriedRun {
  readonly workflowId: string;
  readonly workflowRunId: string;
  readonly state: 'failed' | 'waiting' | 'unretryable';
  /** Why it failed, or waits. */
  readonly reason: string;
  /**
   * `would be retried` – a dry run; `succeeded`, `failed` – retried; `signalled` – it waited and was told to go on;
   * `left alone` – it cannot be retried as it is, or somebody retries it already.
   */
  readonly outcome: 'would be retried' | 'succeeded' | 'failed' | 'signalled' | 'left alone';
  readonly retryWorkflowId?: string;
  /** Why the retry failed, or why it is left alone. */
  readonly message?: string;
}

/** Result of `retryFailedBackfills`. */
export interface RetrySummary {
  /** ISO time. */
  readonly since: string;
  readonly workflowType: string;
  readonly dryRun: boolean;
  readonly runs: readonly RetriedRun[];
  readonly succeeded: number;
  readonly failed: number;
  readonly signalled: number;
  /** Runs beyond what one call retries: start it again. */
  readonly leftOut: number;
}
