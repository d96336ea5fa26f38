/** What the import's workflows ask of its activities; implemented in `activities/import`. Paths and figures, never rows. */
import { z } from 'zod';
import {
  type SourceName,
  columnRemark,
  tableId,
  type ColumnRemark,
  type SourceSnapshot,
  type TableId,
} from '../../grid/history/sql-source.ts';
import type { ImportInput } from './input.ts';

/** One run of one import, the same in every activity. */
export interface ImportRun {
  readonly source: SourceName;
  /** `<business date>-<last 12 hexadecimal digits of the workflow's first run id>`: names its directories in HDFS. */
  readonly runId: string;
  readonly workflowId: string;
  readonly workflowRunId: string;
  readonly businessDate: string;
  readonly input: ImportInput;
}

export interface OpenedImport {
  readonly product: string;
  readonly database: string;
  readonly sharedSnapshots: boolean;
  readonly consistency: 'database' | 'table' | 'none';
  readonly notes: readonly string[];
  readonly source: SourceName;
  readonly tables: readonly TableId[];
  /** Tables that were not asked for by name and cannot be imported. */
  readonly skipped: readonly { readonly table: TableId; readonly reason: string }[];
  /** Resolved from the input and the configuration. */
  readonly maxConnections: number;
  /** Likewise, of all connections together; absent: as fast as it goes. */
  readonly maxBytesPerSecond?: number;
}

/** The signal `snapshotTaken`: the keeper tells the workflow which snapshot it holds. A new one makes the earlier void. */
export interface SnapshotTaken {
  readonly snapshot: SourceSnapshot;
}

export type PlannedTable =
  | {
      readonly kind: 'planned';
      readonly splits: number;
      readonly estimatedRows: number;
      readonly estimatedBytes: number;
      /** `full` replaces, `append` adds, `merge` adds and lets later rows win. */
      readonly publishAs: 'full' | 'append' | 'merge';
      readonly remarks: readonly ColumnRemark[];
      /** Sentences for the summary: why it is published in another way than asked for. */
      readonly notes?: readonly string[];
    }
  /** Nothing has changed since the last import. */
  | { readonly kind: 'unchanged'; readonly rows: number }
  /** This very run has published the table before (it is being resumed): its result. */
  | { readonly kind: 'published'; readonly result: TableResult };

/** Splits of a table that one activity brings to one snapshot, in order. */
export interface SplitStretch {
  readonly run: ImportRun;
  readonly table: TableId;
  /** First split. */
  readonly from: number;
  /** After the last split. */
  readonly to: number;
  /** Parked splits in between, which are left alone. */
  readonly skip: readonly number[];
  /** Absent where snapshots are not shared. */
  readonly snapshot?: SourceSnapshot;
  /** Bytes of text a second that this stretch may read; absent: as fast as it goes. */
  readonly maxBytesPerSecond?: number;
}

/** What is in HDFS for a stretch, verified at its snapshot. */
export interface StretchResult {
  /** The snapshot that the splits were brought to: the one asked for, or where snapshots are not shared the reader's own. */
  readonly snapshot: SourceSnapshot;
  readonly splits: number;
  readonly rows: number;
  readonly textBytes: number;
  readonly fileBytes: number;
  /** Splits that were kept from earlier, since the database computes the same digest at this snapshot. */
  readonly kept: number;
}

/**
 * Heartbeat details of `bringSplits`: splits that are done. A failure of `bringSplits` that concerns one split is an
 * `ApplicationFailure` with the error code as its type and `[{split: <number>}]` as its details.
 */
export interface SplitFailureDetails {
  readonly split: number;
}

export const tableResult = z
  .object({
    table: tableId,
    publishedAs: z.enum(['full', 'append', 'merge']),
    /** Qualified name of what is queried in Hive. */
    hiveTable: z.string(),
    /** Qualified name of the view of readings, where a telemetry mapping is there. */
    readings: z.string().exactOptional(),
    directory: z.string(),
    /** Rows that this run imported. */
    rows: z.number(),
    /** Rows of the source table at the snapshot. */
    sourceRows: z.number(),
    textBytes: z.number(),
    fileBytes: z.number(),
    splits: z.number(),
    /** SHA-256 over the digests of the splits, in order. */
    digest: z.string(),
    verified: z.boolean(),
    /** With `reconcile`, of a table that was imported whole: rows that are gone from the source less those that are new, when that is more than none. */
    deletedRows: z.number().exactOptional(),
    remarks: z.array(columnRemark).readonly(),
    /** Sentences that say why it was imported in another way than asked for. */
    notes: z.array(z.string()).readonly(),
  })
  .readonly();
export type TableResult = z.output<typeof tableResult>;

export interface ImportActivities {
  /**
   * Checks the configuration and the source and finds the tables. Its failures are final (a source that cannot be reached
   * is tried for some seconds) and leave nothing behind.
   */
  openImport(request: Omit<ImportRun, 'source'>): Promise<OpenedImport>;
  /**
   * Holds a snapshot, tells the workflow of it by signal `snapshotTaken`, heartbeats, and ends when it is cancelled. When it
   * is run again, or the transaction was lost, it takes a new one and tells of that.
   */
  holdSnapshot(run: ImportRun): Promise<void>;
  /** Plans a table at the snapshot and keeps the plan in HDFS; a plan of before that still holds is kept, with what was done by it. */
  planTable(request: {
    readonly run: ImportRun;
    readonly table: TableId;
    readonly snapshot?: SourceSnapshot;
  }): Promise<PlannedTable>;
  /** Brings the splits of a stretch to the snapshot: copies those that are missing or have changed, and verifies. Idempotent. */
  bringSplits(stretch: SplitStretch): Promise<StretchResult>;
  /** Proves that every split lies in HDFS at this snapshot, commits the run's directory, and lets Hive's table show it. Idempotent. */
  publishTable(request: {
    readonly run: ImportRun;
    readonly table: TableId;
    /** The one that all its splits were brought to. */
    readonly snapshot: SourceSnapshot;
    readonly publishAs: 'full' | 'append' | 'merge';
  }): Promise<TableResult>;
  /** Deletes what the run has unpublished in HDFS: of these tables, or of all. */
  discardWork(request: { readonly run: ImportRun; readonly tables?: readonly TableId[] }): Promise<void>;
}
