import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';

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
}
