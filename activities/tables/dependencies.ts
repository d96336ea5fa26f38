import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';

/** What the activities of `buildHiveTables` need. */
export interface TablesDependencies {
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  /** Hive database of the tables. */
  readonly database: string;
  /** HDFS directory of what analyses work with. */
  readonly analysisDirectory: string;
  readonly sampleTextsDirectory: string;
  /** HDFS directory of legacy files. */
  readonly unorganizedDirectory: string;
  /** HDFS directory of imported history. */
  readonly importsDirectory: string;
  readonly hiveDatabasePrefix: string;
  /** What the views of the stream's readings are made with. */
  readonly readings: ReadingsDependencies;
}
