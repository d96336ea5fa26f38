/** HiveQL of the views of readings, and of the tables behind them. Pure: the same snapshot is always the same statements. */
import { qualifiedName, quoteString, type SqlDialect } from '../../../connectors/hive/hive.ts';
import { windowLengthMs } from '../../../grid/aggregate/window.ts';
import { READING_COLUMNS } from '../../tables/reading-columns.ts';
import { dayText, EventDays } from '../days.ts';
import { columnsOf, COPY_FORMAT, OTHERS_COLUMNS } from '../line-statements.ts';
import {
  COPY_SQL,
  numberedLinesSql,
  numberedOthersSql,
  STORED_COLUMNS,
  STORED_NAMES,
  STORED_SQL,
} from '../reading-statements.ts';
import { offsetsOf, type Reached, type Snapshot } from './snapshot.ts';

export interface ReadingNames {
  /** Of the views. */
  readonly database: string;
  /** Of the tables behind them. */
  readonly workDatabase: string;
}

const DAY_MS = windowLengthMs('day');

const VIEW_NAMES = READING_COLUMNS.map(([name]) => name).join(', ');

export function tableNames({ workDatabase }: ReadingNames, compaction = '') {
  return {
    tail: qualifiedName(workDatabase, 'readings_tail'),
    days: qualifiedName(workDatabase, `readings_days_${compaction}`),
    covered: qualifiedName(workDatabase, `readings_covered_${compaction}`),
    coveredOthers: qualifiedName(workDatabase, `readings_covered_others_${compaction}`),
  } as const;
}

export function dropCompactionTables(names: ReadingNames, compaction: string): readonly string[] {
  const { days, covered, coveredOthers } = tableNames(names, compaction);
  return [days, covered, coveredOthers].map((table) => `DROP TABLE IF EXISTS ${table}`);
}

export function viewNames({ database }: ReadingNames) {
  return {
    all: qualifiedName(database, 'readings_all'),
    raw: qualifiedName(database, 'readings_raw'),
    offsets: qualifiedName(database, 'readings_offsets'),
    imported: qualifiedName(database, 'readings_imported'),
  } as const;
}

/** Partitioned by what tells apart the places where its rows lie. */
export function partitionedTableStatement(name: string, partition: 'event_day' | 'segment', location: string): string {
  const columns = columnsOf(STORED_COLUMNS);
  const stored = partition === 'event_day' ? columns : `${columns}, event_day STRING`;
  return `CREATE EXTERNAL TABLE IF NOT EXISTS ${name} (${stored}) PARTITIONED BY (${partition} STRING) STORED AS ORC LOCATION ${quoteString(location)} TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`;
}

export function addPartitionsStatement(
  table: string,
  column: 'event_day' | 'segment',
  partitions: readonly { readonly value: string; readonly directory: string }[],
): string {
  const parts = partitions.map(
    ({ value, directory }) => `PARTITION (${column}=${quoteString(value)}) LOCATION ${quoteString(directory)}`,
  );
  return `ALTER TABLE ${table} ADD IF NOT EXISTS ${parts.join(' ')}`;
}

/** A table over what listed files say, in the text that `readOthers` writes. */
export function listedOthersTableStatement(name: string, linksDirectory: string): string {
  return [
    `CREATE EXTERNAL TABLE ${name} (${columnsOf(OTHERS_COLUMNS)})`,
    COPY_FORMAT.replace(
      'STORED AS TEXTFILE',
      `STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat' OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`,
    ),
    `LOCATION ${quoteString(linksDirectory)}`,
    `TBLPROPERTIES ('external.table.purge'='false', 'discover.partitions'='false')`,
  ].join('\n');
}

export interface ViewContent {
  readonly snapshot: Snapshot;
  /** Of its compaction. */
  readonly hasOthers: boolean;
  readonly hasImported: boolean;
  readonly dialect: SqlDialect;
}

/** Property of `readings_all` by which it says what it shows: of all that a reader sees it alone is replaced at once. */
export const SHOWN_PROPERTY = 'readings.shown';

export function shownText({ snapshot, hasImported }: Pick<ViewContent, 'snapshot' | 'hasImported'>): string {
  return `${snapshot.number}-${snapshot.id}${hasImported ? '-imported' : ''}`;
}

/** Each reading once: the compacted ones, those beyond of which none is compacted, and the imported ones. */
export function allViewStatement(names: ReadingNames, { snapshot, hasImported }: Omit<ViewContent, 'dialect'>): string {
  const { all, imported } = viewNames(names);
  const tail = tailSql(names, snapshot);
  const streamed: string[] = [];
  if (snapshot.compaction === null) streamed.push(onceSql(tail));
  else {
    const { days } = tableNames(names, snapshot.compaction);
    const stored = `SELECT ${STORED_NAMES} FROM ${days}`;
    if (snapshot.tail.length === 0) streamed.push(stored);
    else {
      // Only days of which something has come since are looked through for what is there twice.
      const concerned = daysCondition(snapshot.tail.flatMap((segment) => segment.days));
      streamed.push(`${stored} WHERE NOT (${concerned})`, onceSql(`${stored} WHERE ${concerned} UNION ALL ${tail}`));
    }
  }
  const parts = streamed.map(
    (sql) => `SELECT ${streamedSql()} FROM (
${sql}) streamed`,
  );
  if (hasImported) parts.push(`SELECT ${VIEW_NAMES} FROM ${imported}`);
  return viewStatement(all, 'Readings, each once', parts, {
    [SHOWN_PROPERTY]: shownText({ snapshot, hasImported }),
    'readings.compacted_to': vectorText(snapshot.compactedTo),
    'readings.shown_to': vectorText(snapshot.shownTo),
  });
}

/** A row for each line of the master data that can be read. */
export function rawViewStatement(names: ReadingNames, { snapshot, hasOthers, dialect }: ViewContent): string {
  const parts = [tailSql(names, snapshot)];
  if (snapshot.compaction !== null) {
    const { covered, coveredOthers } = tableNames(names, snapshot.compaction);
    parts.push(`SELECT ${STORED_SQL} FROM (${numberedLinesSql(covered, dialect)}) numbered WHERE other IS NULL`);
    if (hasOthers) parts.push(`SELECT ${STORED_SQL} FROM (${numberedOthersSql(coveredOthers)}) numbered`);
  }
  return viewStatement(
    viewNames(names).raw,
    'Readings, one for each line of the master data',
    parts.map((sql) => `SELECT ${streamedSql()} FROM (${sql}) streamed`),
    {},
  );
}

/** Up to which offset readings are compacted, and shown at all. */
export function offsetsViewStatement(names: ReadingNames, { compactedTo, shownTo, number }: Snapshot): string {
  const compacted = offsetsOf(compactedTo);
  const rows = shownTo.map(
    ({ partition, lastOffset }) =>
      `STRUCT(${partition}, ${offsetSql(compacted.get(partition))}, CAST(${lastOffset} AS BIGINT), CAST(${number} AS BIGINT))`,
  );
  const query =
    rows.length === 0
      ? `SELECT CAST(NULL AS INT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT) FROM (SELECT 1 AS one) nothing WHERE one = 0`
      : `SELECT INLINE(ARRAY(${rows.join(', ')})) AS (kafka_partition, compacted_to, shown_to, snapshot)`;
  return `CREATE OR REPLACE VIEW ${viewNames(names).offsets} (kafka_partition COMMENT 'partition of Kafka', compacted_to COMMENT 'last offset that is compacted', shown_to COMMENT 'last offset that readings_all shows', snapshot COMMENT 'number of the snapshot') COMMENT 'How far readings_all reaches' AS ${query}`;
}

function offsetSql(offset: number | undefined): string {
  return `CAST(${offset ?? 'NULL'} AS BIGINT)`;
}

function tailSql(names: ReadingNames, { tail, compactedTo }: Snapshot): string {
  const ids = tail.map(({ id }) => quoteString(id));
  const segments = ids.length === 0 ? `segment = ''` : `segment IN (${ids.join(', ')})`;
  const beyond = compactedTo.map(({ partition, lastOffset }) => `WHEN ${partition} THEN ${lastOffset}L`);
  const condition =
    beyond.length === 0 ? '' : ` AND first_offset > CASE kafka_partition ${beyond.join(' ')} ELSE -1L END`;
  return `SELECT ${STORED_NAMES} FROM ${tableNames(names).tail} WHERE ${segments}${condition}`;
}

function onceSql(sql: string): string {
  return `SELECT ${STORED_NAMES} FROM (SELECT ${STORED_NAMES}, ${COPY_SQL} AS copy FROM (${sql}) placed) numbered WHERE copy = 1`;
}

/** Columns of the views from stored ones. */
function streamedSql(): string {
  return READING_COLUMNS.map(([name]) => {
    if (name === 'origin') return `'stream' AS origin`;
    return name === 'source_table' ? 'CAST(NULL AS STRING) AS source_table' : name;
  }).join(', ');
}

export function daysCondition(days: readonly string[]): string {
  const stretches = EventDays.of(days.map((day) => [dayNumber(day), dayNumber(day)])).stretches;
  if (stretches.length === 0) return 'event_day IS NULL';
  return stretches
    .map(([first, last]) => `event_day BETWEEN ${quoteString(dayText(first))} AND ${quoteString(dayText(last))}`)
    .join(' OR ');
}

function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS;
}

function viewStatement(
  name: string,
  comment: string,
  parts: readonly string[],
  properties: Readonly<Record<string, string>>,
): string {
  const columns = READING_COLUMNS.map(([column, , says]) => `${column} COMMENT ${quoteString(says)}`);
  const pairs = Object.entries(properties).map(([key, value]) => `${quoteString(key)}=${quoteString(value)}`);
  return [
    `CREATE OR REPLACE VIEW ${name} (${columns.join(', ')}) COMMENT ${quoteString(comment)}`,
    ...(pairs.length === 0 ? [] : [`TBLPROPERTIES (${pairs.join(', ')})`]),
    `AS ${parts.join('\nUNION ALL ')}`,
  ].join('\n');
}

/** `0:1999,1:2500` */
function vectorText(vector: readonly Reached[]): string {
  return vector.map(({ partition, lastOffset }) => `${partition}:${lastOffset}`).join(',');
}
