import { quoteString } from './quoting.ts';

/** Where a statement finds files that are listed one by one. */
export interface ListedFiles {
  /** HDFS directory in whose files the paths stand, one a line. */
  readonly directory: string;
  /** The same paths; asked for only where an engine cannot read the list itself. */
  readonly paths: () => Promise<readonly string[]>;
}

/**
 * In what the engines behind HiveServer2's protocol differ, as far as the project's statements meet it. All other SQL is the same for both.
 */
export interface SqlDialect {
  readonly engine: 'hive' | 'spark';
  /** Full name of the file that a row of a table of lines is from; see {@link pathOf}. */
  readonly fileNameSql: string;
  /** A number that grows from line to line within a file. */
  readonly placeInFileSql: string;
  /** Makes a table with the column `line` over the listed files: each line as it lies there. `table` is quoted. */
  linesTable(table: string, files: ListedFiles): Promise<string>;
  /** Path in HDFS of what {@link fileNameSql} gives. */
  pathOf(fileName: string): string;
}

export const HIVE_DIALECT: SqlDialect = {
  engine: 'hive',
  fileNameSql: 'INPUT__FILE__NAME',
  placeInFileSql: 'BLOCK__OFFSET__INSIDE__FILE',
  linesTable: (table, { directory }) =>
    Promise.resolve(
      [
        `CREATE EXTERNAL TABLE IF NOT EXISTS ${table} (line STRING)`,
        `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES (`,
        // Nothing in a line means anything: no field's end, no escape, no NULL.
        String.raw`'field.delim'='\u0000', 'serialization.last.column.takes.rest'='true', 'serialization.null.format'='\u0000NULL\u0000')`,
        `STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'`,
        `OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`,
        `LOCATION ${quoteString(directory)}`,
        `TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`,
      ].join('\n'),
    ),
  pathOf: withoutAuthority,
};

export const SPARK_DIALECT: SqlDialect = {
  engine: 'spark',
  fileNameSql: 'input_file_name()',
  placeInFileSql: 'monotonically_increasing_id()',
  // Spark reads lists of files as well, but says of each line that it is from the list.
  linesTable: async (table, { paths }) =>
    `CREATE TABLE IF NOT EXISTS ${table} (line STRING) USING text OPTIONS (path ${quoteString(alternatives(await paths()))})`,
  // It writes names as a URI has them.
  pathOf: (fileName) => decodeURIComponent(withoutAuthority(fileName)),
};

/** The dialect of what a server calls itself (`CLI_DBMS_NAME`). */
export function dialectOf(serverName: string): SqlDialect {
  return /spark/i.test(serverName) ? SPARK_DIALECT : HIVE_DIALECT;
}

/** A pattern of Hadoop that fits these absolute paths and nothing else. */
function alternatives(paths: readonly string[]): string {
  const escaped = paths.map((path) => path.slice(1).replace(/[\\{}[\]*?,]/g, '\\$&'));
  return paths.length === 1 ? `/${escaped.join('')}` : `/{${escaped.join(',')}}`;
}

/** `hdfs://namenode:9000/a/b` → `/a/b`. */
function withoutAuthority(name: string): string {
  return name.replace(/^[a-z][a-z0-9+.-]{0,20}:\/\/[^/]*/i, '');
}
