/** One run of a side of the comparison. A side that is a Node process gets it as JSON in its first argument. */
export interface SideRun {
  readonly brokers: string[];
  readonly webHdfsUrl: string;
  readonly topic: string;
  readonly records: number;
  /** HDFS directory to write below. */
  readonly directory: string;
}
