import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import type { ImportRun, SnapshotTaken } from '../../workflows/import/activity-contract.ts';
import type { SourceName, SqlSource, TableId } from '../../grid/history/sql-source.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { TelemetryTables } from './publish/telemetry-file.ts';

/** The settings that the import's activities work by; see `importOptionsFromConfig`. */
export interface ImportOptions {
  /** HDFS directory of imported history. */
  readonly importsDirectory: string;
  /** Hive databases are named `<prefix>_<source>`. */
  readonly hiveDatabasePrefix: string;
  /** Sources that the configuration gives an address of, the default one first. */
  readonly sources: readonly SourceName[];
  /** Source connections of one run at most. */
  readonly maxConnections: number;
  /** Rows of a split, where the input names none. */
  readonly splitRows: number;
  /** Bytes of text a second of one run, of all connections together, where the input names none; absent: as fast as it goes. */
  readonly maxBytesPerSecond?: number;
  /** Which tables are telemetry, where the input does not say. */
  readonly telemetry: TelemetryTables;
}

/** What became of a split. */
export interface SplitOutcome {
  readonly source: SourceName;
  readonly table: TableId;
  /** `copied`; `kept` from another snapshot, since the database computes the same digest; `found` as it has to be. */
  readonly outcome: 'copied' | 'kept' | 'found';
  readonly rows: number;
  readonly textBytes: number;
  readonly fileBytes: number;
  readonly seconds: number;
}

/** Told of what happens, for metrics; must not throw. */
export interface ImportObserver {
  splitDone(outcome: SplitOutcome): void;
  /** A split whose text or file was not what it should be, before it is copied again. */
  splitFailedVerification(split: { readonly source: SourceName; readonly table: TableId }): void;
  snapshotTaken(source: SourceName): void;
  /** The transaction that held a snapshot was lost. */
  snapshotLost(source: SourceName): void;
}

/** What the import's activities need. */
export interface ImportDependencies {
  readonly options: ImportOptions;
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  /** A source of the activity's own, to be closed by it. @throws GridError `invalid-configuration` */
  openSource(name: SourceName): SqlSource;
  /** Sends the signal `snapshotTaken` to the workflow of the run. */
  signalSnapshot(run: ImportRun, taken: SnapshotTaken): Promise<void>;
  readonly logger: Logger;
  readonly observer: ImportObserver;
}
