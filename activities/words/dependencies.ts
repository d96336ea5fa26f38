import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import type { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import type { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';

/** What the activities of `countWords` need. */
export interface WordsDependencies {
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  /** Answers that were given before. */
  readonly answers: KeptDocuments;
  /** Keeps them for whoever asks by SQL. */
  readonly serving: ServingDatabase;
  /** HDFS directory of what analyses work with. */
  readonly analysisDirectory: string;
  readonly sampleTextsDirectory: string;
  /** Hive database of their tables. */
  readonly database: string;
}
