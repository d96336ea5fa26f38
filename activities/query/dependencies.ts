import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import type { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';

/** What asking Hive a statement of somebody needs. */
export interface QueryDependencies {
  readonly hdfs: HdfsClient;
  /** Sessions of their own: a statement that runs for hours holds up no other job. */
  readonly hive: HiveClient;
  /** An entry for every run. */
  readonly audit: KeptDocuments;
  /** HDFS directory of what analyses work with. */
  readonly analysisDirectory: string;
  /** HDFS directories that other data lies in, so that no result is put among it. */
  readonly dataDirectories: readonly string[];
  /** Lets the views of readings show what is committed now; where there are none, nothing is done. */
  readonly refreshReadings?: (signal: AbortSignal) => Promise<void>;
  /** Whether statements may change data at all. */
  readonly mayWrite: boolean;
}
