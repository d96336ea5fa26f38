import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import type { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';

/** What the activities of `buildBatchViews` need. */
export interface ViewsDependencies {
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  readonly serving: ServingDatabase;
  /** HDFS directory below which the topics lie. */
  readonly topicsDirectory: string;
  /** The topic of readings. */
  readonly topic: string;
  /** HDFS directory of what analyses work with. */
  readonly analysisDirectory: string;
  /** Hive database of their tables. */
  readonly database: string;
}
