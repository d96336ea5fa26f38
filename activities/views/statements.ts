/** HiveQL of a build of batch views. Pure: the same build is always the same statements. */
import {
  qualifiedName,
  quoteIdentifier,
  quoteString,
  type ListedFiles,
  type SqlDialect,
} from '../../connectors/hive/hive.ts';
import {
  eventMsSql,
  HELD_MS_SQL,
  numbersSql,
  orderKeySql,
  resolutionsSql,
  SUMS,
  valueAtSql,
  WINDOW_START_SQL,
} from '../../grid/aggregate/hive-sql.ts';
import type { Resolution } from '../../grid/aggregate/window.ts';
import { boundsMs, EventDays, type Stretch } from '../readings/days.ts';
import {
  columnsOf,
  COPY_FORMAT,
  linesTableStatement,
  othersReadTableStatement,
  othersTableStatement,
  PLACE_SQL,
  placedLinesSql,
  READING_COLUMNS,
} from '../readings/line-statements.ts';

/** The tables of one try of a step of a build. */
export interface BuildTables {
  readonly database: string;
  readonly buildId: string;
  /** Name of the try. */
  readonly tryName: string;
}

const table =
  (name: string) =>
  ({ database, buildId, tryName }: BuildTables) =>
    qualifiedName(database, `views_${name}_${buildId}_${tryName}`);
const rawTable = table('raw');
const readingsTable = table('readings');
const othersTable = table('others');
const othersReadTable = table('others_read');
const windowsTable = table('windows');

export function dropStatements(tables: BuildTables): readonly string[] {
  return [rawTable, readingsTable, othersTable, othersReadTable, windowsTable].map(
    (name) => `DROP TABLE IF EXISTS ${name(tables)}`,
  );
}

export function databaseStatement({ database }: BuildTables): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(database)} COMMENT 'What analyses work with'`;
}

/** The tables that {@link readStatement} needs: over the listed files, for what it reads, and for the lines that are of another form. */
export async function readingTables(
  tables: BuildTables,
  dialect: SqlDialect,
  { links, othersDirectory }: { readonly links: ListedFiles; readonly othersDirectory: string },
): Promise<readonly string[]> {
  return [
    await linesTableStatement(rawTable(tables), dialect, links),
    `CREATE TABLE ${readingsTable(tables)} (${columnsOf(READING_COLUMNS)}) STORED AS ORC TBLPROPERTIES ('transactional'='false')`,
    othersTableStatement(othersTable(tables), othersDirectory),
  ];
}

/** Reads the listed files once: canonical envelopes field by field, other lines as they are. */
export function readStatement(tables: BuildTables, dialect: SqlDialect): string {
  return [
    `FROM (${placedLinesSql(rawTable(tables), dialect)}) placed`,
    `INSERT OVERWRITE TABLE ${readingsTable(tables)}`,
    `SELECT COALESCE(number_id, text_id), aspect, unit, correlation_id, modality, modality AS plain,`,
    `${orderKeySql('created_at')} AS order_key, ${PLACE_SQL}`,
    'WHERE other IS NULL',
    `INSERT OVERWRITE TABLE ${othersTable(tables)}`,
    `SELECT ${PLACE_SQL}, other WHERE other IS NOT NULL`,
  ].join('\n');
}

/** Rows of canonical envelopes, and those whose place is known. */
export function countQuery(tables: BuildTables): string {
  return `SELECT COUNT(*), COUNT(kafka_partition) FROM ${readingsTable(tables)}`;
}

/** What the other lines say. */
export function othersReadStatement(tables: BuildTables, othersReadDirectory: string): string {
  return othersReadTableStatement(othersReadTable(tables), othersReadDirectory);
}

/** Columns of a window, in the order in which they are written. */
export const WINDOW_COLUMNS = ['sensor_id', 'aspect', 'unit', 'resolution', 'window_start_ms'] as const;
/** … and of its aggregate. */
export const AGGREGATE_PARTS = SUMS.map(([name]) => name);

export function windowsTableStatement(tables: BuildTables, windowsDirectory: string): string {
  const columns = [...WINDOW_COLUMNS, ...AGGREGATE_PARTS].map((name) => [name, 'STRING'] as const);
  return [
    `CREATE EXTERNAL TABLE ${windowsTable(tables)} (${columnsOf(columns)})`,
    COPY_FORMAT,
    `LOCATION ${quoteString(windowsDirectory)}`,
  ].join('\n');
}

export interface AddingUp {
  readonly days: readonly Stretch[];
  readonly resolutions: readonly Resolution[];
  /** Whether there are readings that Hive did not parse itself. */
  readonly hasOthers: boolean;
}

/**
 * Adds readings up to windows: of those with one correlation id on one event day the first counts, in order of its file's first offset
 * and its place there.
 *
 * @param read where the readings are
 */
export function addUpStatement(
  tables: BuildTables,
  read: BuildTables,
  { days, resolutions, hasOthers }: AddingUp,
): string {
  const columns = READING_COLUMNS.map(([name]) => name).join(', ');
  const all = [readingsTable, ...(hasOthers ? [othersReadTable] : [])].map(
    (source) => `SELECT ${columns} FROM ${source(read)}`,
  );
  const key = 'sensor_id, aspect, unit';
  const kept = ['sensor_id', 'aspect', 'unit', 'value_at', 'event_ms', 'next_ms'];
  const timed = `SELECT ${key}, plain, event_ms, ${valueAtSql('order_key', 'correlation_id', 'modality')} AS value_at,
    LEAD(event_ms) OVER (PARTITION BY ${key}, event_ms DIV 86400000 ORDER BY order_key, correlation_id) AS next_ms
  FROM (SELECT placed.*, ROW_NUMBER() OVER (PARTITION BY correlation_id, event_ms DIV 86400000
      ORDER BY first_offset, place, kafka_partition) AS copy
  FROM (SELECT ${columns}, ${eventMsSql('order_key')} AS event_ms FROM (${all.join('\n  UNION ALL ')}) readings) placed
  ${conditionOf(days)}) copies
  WHERE copy = 1`;
  const parts = AGGREGATE_PARTS.map((name) => `CAST(${name} AS STRING)`);
  return `INSERT OVERWRITE TABLE ${windowsTable(tables)}
SELECT ${key}, resolution, CAST(window_start_ms AS STRING), ${parts.join(', ')}
FROM (SELECT ${key}, resolution, window_start_ms,
    ${SUMS.map(([name, , sum]) => `${sum} AS ${name}`).join(',\n    ')}
  FROM (SELECT numbers.*, resolution, ${WINDOW_START_SQL} AS window_start_ms, ${HELD_MS_SQL} AS held_ms
  FROM (${numbersSql(kept, timed)}) numbers
  ${resolutionsSql(resolutions)}) held
  GROUP BY ${key}, resolution, window_start_ms) added_up`;
}

function conditionOf(days: readonly Stretch[]): string {
  if (EventDays.of(days).isAll) return '';
  const conditions = days.map((stretch) => {
    const [fromMs, toMs] = boundsMs(stretch);
    return `(event_ms >= ${fromMs} AND event_ms < ${toMs})`;
  });
  return `WHERE ${conditions.join(' OR ')}`;
}
