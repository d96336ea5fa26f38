/** HiveQL by which lines of master data are read: canonical envelopes field by field, other lines as they are. */
import { quoteString, type ListedFiles, type SqlDialect } from '../../connectors/hive/hive.ts';
import { CANONICAL_ENVELOPE } from '../../grid/envelope.ts';

type Columns = readonly (readonly [name: string, type: string])[];

/** Fields of a reading, and its place. */
export const READING_COLUMNS = [
  ['sensor_id', 'STRING'],
  ['aspect', 'STRING'],
  ['unit', 'STRING'],
  ['correlation_id', 'STRING'],
  ['modality', 'STRING'],
  ['plain', 'STRING'],
  ['order_key', 'STRING'],
  ['kafka_partition', 'INT'],
  ['first_offset', 'BIGINT'],
  ['place', 'BIGINT'],
] as const;

/** In this order readings that Hive does not parse itself are written for it. */
export const OTHERS_COLUMNS = [...READING_COLUMNS, ['created_at', 'STRING']] as const;

/** Tab separated, `\N` for NULL, backslash before what would be misread: the text format of PostgreSQL's COPY. */
export const COPY_FORMAT = [
  `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'`,
  String.raw`WITH SERDEPROPERTIES ('field.delim'='\t', 'escape.delim'='\\', 'serialization.escape.crlf'='true')`,
  'STORED AS TEXTFILE',
].join('\n');

/** Dropping the table leaves what it is over. */
const OVER_FILES = `TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`;

/** A table over the lines of listed files, for {@link placedLinesSql}. */
export async function linesTableStatement(name: string, dialect: SqlDialect, files: ListedFiles): Promise<string> {
  if (dialect.engine === 'spark') return dialect.linesTable(name, files);
  return [
    `CREATE EXTERNAL TABLE ${name} (number_id STRING, text_id STRING, modality STRING, unit STRING,`,
    `aspect STRING, correlation_id STRING, created_at STRING, other STRING)`,
    // One match a line: its groups, or else the line itself.
    `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'`,
    `WITH SERDEPROPERTIES ('input.regex'=${quoteString(`${CANONICAL_ENVELOPE.source}|((?s:.*))`)})`,
    `STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'`,
    `OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`,
    `LOCATION ${quoteString(files.directory)}`,
    OVER_FILES,
  ].join('\n');
}

/** Fields of a canonical envelope, in the order of its groups. */
const FIELDS = ['number_id', 'text_id', 'modality', 'unit', 'aspect', 'correlation_id', 'created_at'] as const;

/** Lines of {@link linesTableStatement}, each with its file and its place there: the fields of a canonical envelope, or else `other`, the line. */
export function placedLinesSql(linesTable: string, dialect: SqlDialect): string {
  const place = `${dialect.fileNameSql} AS file, ${dialect.placeInFileSql} AS place`;
  if (dialect.engine === 'hive') return `SELECT lines.*, ${place} FROM ${linesTable} lines`;
  // A separator before each group: no line of JSON begins with it.
  const groups = FIELDS.map((_, index) => `\u0001$${index + 1}`).join('');
  const match = `REGEXP_REPLACE(line, ${quoteString(`^${CANONICAL_ENVELOPE.source}\\z`)}, ${quoteString(groups)})`;
  const fields = FIELDS.map((name, index) =>
    name.endsWith('_id') && index < 2 ? `NULLIF(parts[${index + 1}], '') AS ${name}` : `parts[${index + 1}] AS ${name}`,
  );
  return `SELECT ${fields.join(', ')}, IF(parts[${FIELDS.length}] IS NULL, line, NULL) AS other, file, place
  FROM (SELECT line, file, place, SPLIT(${match}, ${quoteString('\u0001')}) AS parts
  FROM (SELECT line, ${place} FROM ${linesTable}) lines) matched`;
}

const partOfName = (group: number): string =>
  String.raw`REGEXP_EXTRACT(file, '\\+(\\d{1,9})\\+(\\d{1,18})\\+\\d{1,18}\\.json$', ${group})`;

/** Partition, first offset of the file and place there, of rows of {@link placedLinesSql}. */
export const PLACE_SQL = `CAST(${partOfName(1)} AS INT) AS kafka_partition, CAST(${partOfName(2)} AS BIGINT) AS first_offset, place`;

/** A table for lines of another than the canonical form, as `readOthers` reads them. */
export function othersTableStatement(name: string, othersDirectory: string): string {
  return [
    `CREATE EXTERNAL TABLE ${name} (kafka_partition INT, first_offset BIGINT, place BIGINT, line STRING)`,
    // No escapes: a line is the rest of its row, byte for byte.
    String.raw`ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' STORED AS TEXTFILE LOCATION ${quoteString(othersDirectory)}`,
  ].join('\n');
}

/** A table over what the other lines say. */
export function othersReadTableStatement(name: string, othersReadDirectory: string): string {
  return [
    `CREATE EXTERNAL TABLE ${name} (${columnsOf(OTHERS_COLUMNS)})`,
    COPY_FORMAT,
    `LOCATION ${quoteString(othersReadDirectory)}`,
  ].join('\n');
}

export function columnsOf(columns: Columns): string {
  return columns.map(([name, type]) => `${name} ${type}`).join(', ');
}
