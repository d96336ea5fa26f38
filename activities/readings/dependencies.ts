import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';

/** What the Hive tables of readings are made with. */
export interface ReadingsDependencies {
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  /** HDFS directory below which the topics lie. */
  readonly topicsDirectory: string;
  /** The topic of readings. */
  readonly topic: string;
  /** HDFS directory of what analyses work with; compacted readings lie below it. */
  readonly analysisDirectory: string;
  /** Hive database of the views that users query. */
  readonly database: string;
  /** Hive database of the tables behind them. */
  readonly workDatabase: string;
  /** How long tables and files that a newer snapshot has replaced stay, for queries that still read them. */
  readonly graceMs: number;
}
