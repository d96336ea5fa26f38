/** One run of the bare pipe from PostgreSQL, which gets it as JSON in its first argument. */
export interface BareRun {
  readonly databaseUrl: string;
  readonly webHdfsUrl: string;
  readonly hdfsUser: string;
  /** Qualified. */
  readonly table: string;
  readonly records: number;
  /** HDFS directory to write below. */
  readonly directory: string;
}

/** Likewise, of a bare SELECT from SQL Server. */
export interface BareSqlServerRun {
  readonly databaseUrl: string;
  /** Qualified. */
  readonly table: string;
  readonly records: number;
}
