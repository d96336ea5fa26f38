/** HiveQL of a compaction. Pure: the same compaction is always the same statements. */
import { qualifiedName, quoteString } from '../../connectors/hive/hive.ts';
import { COPY_SQL, FIGURES_SQL, STORED_NAMES } from '../readings/reading-statements.ts';
import { segmentTables } from '../readings/segment/read-segment.ts';
import { partitionedTableStatement, tableNames, type ReadingNames } from '../readings/snapshot/view-statements.ts';

/** Some hundred megabytes. */
const READINGS_A_FILE = 5_000_000;

export interface DaysToWrite {
  readonly names: ReadingNames;
  /** Id of the segment that has come. */
  readonly segment: string;
  /** Id of what this try writes. */
  readonly writing: string;
  readonly basedOn: string | null;
  readonly days: readonly { readonly day: string; readonly readings: number; readonly isThere: boolean }[];
}

function figuresTable(workDatabase: string, id: string): string {
  return qualifiedName(workDatabase, `readings_figures_${id}`);
}

/** The days that one try of a batch writes. */
function writtenTable(workDatabase: string, writing: string): string {
  return qualifiedName(workDatabase, `readings_written_${writing}`);
}

export function writtenTableStatement(workDatabase: string, writing: string, directory: string): string {
  return partitionedTableStatement(writtenTable(workDatabase, writing), 'event_day', directory);
}

/** What was written stays. */
export function dropWritingStatements(workDatabase: string, writing: string): readonly string[] {
  return [figuresTable(workDatabase, writing), writtenTable(workDatabase, writing)].map(
    (table) => `DROP TABLE IF EXISTS ${table}`,
  );
}

export function figuresTableStatement(workDatabase: string, id: string, directory: string): string {
  return `CREATE EXTERNAL TABLE ${figuresTable(workDatabase, id)} (event_day STRING, is_kept BOOLEAN, readings BIGINT, whole_sum DECIMAL(38,0), fraction_sum DECIMAL(38,0), checksum BIGINT) STORED AS TEXTFILE LOCATION ${quoteString(directory)} TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`;
}

export function figuresQuery(workDatabase: string, id: string): string {
  return `SELECT * FROM ${figuresTable(workDatabase, id)}`;
}

/** Writes the days, each reading once, and says of each what it kept and what it dropped, in one pass. */
export function compactStatement({ names, segment, writing, basedOn, days }: DaysToWrite): string {
  const there = days.filter(({ isThere }) => isThere);
  const sources = [
    `SELECT ${STORED_NAMES} FROM ${segmentTables(names.workDatabase, segment).rows} WHERE ${among(days)}`,
  ];
  if (basedOn !== null && there.length > 0) {
    sources.push(`SELECT ${STORED_NAMES} FROM ${tableNames(names, basedOn).days} WHERE ${among(there)}`);
  }
  return [
    `FROM (SELECT ${STORED_NAMES}, ${COPY_SQL} AS copy FROM (${sources.join(' UNION ALL ')}) placed) numbered`,
    `INSERT OVERWRITE TABLE ${writtenTable(names.workDatabase, writing)} PARTITION (event_day) SELECT ${STORED_NAMES} WHERE copy = 1`,
    `DISTRIBUTE BY event_day${spread(days)} SORT BY event_day, sensor_id, aspect, unit, event_ms, correlation_id`,
    `INSERT OVERWRITE TABLE ${figuresTable(names.workDatabase, writing)} SELECT event_day, copy = 1, ${FIGURES_SQL} GROUP BY event_day, copy = 1`,
  ].join('\n');
}

/** What lies in the days that were written. */
export function keptQuery({ names, writing, days }: DaysToWrite): string {
  return `SELECT event_day, ${FIGURES_SQL} FROM ${writtenTable(names.workDatabase, writing)} WHERE ${among(days)} GROUP BY event_day`;
}

function among(days: readonly { readonly day: string }[]): string {
  return `event_day IN (${days.map(({ day }) => quoteString(day)).join(', ')})`;
}

/** A day of very many readings becomes several files, each sensor in one. */
function spread(days: DaysToWrite['days']): string {
  const cases = days
    .map(({ day, readings }) => ({ day, files: Math.ceil(readings / READINGS_A_FILE) }))
    .filter(({ files }) => files > 1)
    .map(({ day, files }) => `WHEN ${quoteString(day)} THEN PMOD(HASH(sensor_id), ${files})`);
  return cases.length === 0 ? '' : `, CASE event_day ${cases.join(' ')} ELSE 0 END`;
}
