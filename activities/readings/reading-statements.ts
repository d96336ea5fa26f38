/** HiveQL of the rows that the tables of readings are made of. Pure: the same input is always the same statement. */
import { eventMsSql, numbersSql, orderKeySql } from '../../grid/aggregate/hive-sql.ts';
import { columnsOf, PLACE_SQL, placedLinesSql } from './line-statements.ts';
import type { SqlDialect } from '../../connectors/hive/hive.ts';

/** A streamed reading as it is stored, without its event day, by which days are partitioned. */
export const STORED_COLUMNS = [
  ['sensor_id', 'STRING'],
  ['aspect', 'STRING'],
  ['unit', 'STRING'],
  ['value_text', 'STRING'],
  ['value', 'DECIMAL(38,18)'],
  ['event_time', 'TIMESTAMP'],
  ['event_ms', 'BIGINT'],
  ['created_at', 'STRING'],
  ['correlation_id', 'STRING'],
  ['kafka_partition', 'INT'],
  ['first_offset', 'BIGINT'],
  ['place', 'BIGINT'],
] as const;

/** … and with it. */
export const STORED_NAMES = [...STORED_COLUMNS.map(([name]) => name), 'event_day'].join(', ');
export const STORED_TYPES = `${columnsOf(STORED_COLUMNS)}, event_day STRING`;

/** Which of the readings with one correlation id on one event day is the first, as batch views count them: 1. */
export const COPY_SQL =
  'ROW_NUMBER() OVER (PARTITION BY correlation_id, event_day ORDER BY first_offset, place, kafka_partition)';

const KEPT = [
  'sensor_id',
  'aspect',
  'unit',
  'value_text',
  'event_ms',
  'created_at',
  'correlation_id',
  'kafka_partition',
  'first_offset',
  'place',
];

/** No session's time zone has a say in these. */
const EVENT_DAY_SQL = `CAST(DATE_ADD('1970-01-01', CAST(event_ms DIV 86400000 AS INT)) AS STRING)`;
const twoDigits = (number: string): string => `LPAD(CAST(${number} AS STRING), 2, '0')`;
const EVENT_TIME_SQL = `CAST(CONCAT(${EVENT_DAY_SQL}, ' ', ${twoDigits('event_ms DIV 3600000 % 24')}, ':', ${twoDigits('event_ms DIV 60000 % 60')}, ':', ${twoDigits('event_ms DIV 1000 % 60')}, '.', LPAD(CAST(event_ms % 1000 AS STRING), 3, '0')) AS TIMESTAMP)`;

/** Columns of {@link STORED_NAMES} from rows of {@link numberedLinesSql} and {@link numberedOthersSql}. */
export const STORED_SQL = STORED_COLUMNS.map(([name]) => {
  if (name === 'value') return 'exact_value AS value';
  return name === 'event_time' ? `${EVENT_TIME_SQL} AS event_time` : name;
})
  .concat(`${EVENT_DAY_SQL} AS event_day`)
  .join(', ');

/** Lines of a table of `linesTableStatement` with their numbers; those of another form are there with their text in `other`. */
export function numberedLinesSql(linesTable: string, dialect: SqlDialect): string {
  return numbersSql(
    [...KEPT, 'other'],
    `SELECT COALESCE(number_id, text_id) AS sensor_id, aspect, unit, modality AS value_text, modality AS plain,
    ${eventMsSql(orderKeySql('created_at'))} AS event_ms, created_at, correlation_id, ${PLACE_SQL}, other
  FROM (${placedLinesSql(linesTable, dialect)}) placed`,
  );
}

/** Readings that Hive does not parse itself, with their numbers. */
export function numberedOthersSql(othersReadTable: string): string {
  return numbersSql(
    KEPT,
    `SELECT sensor_id, aspect, unit, modality AS value_text, plain, ${eventMsSql('order_key')} AS event_ms, created_at,
    correlation_id, kafka_partition, first_offset, place FROM ${othersReadTable}`,
  );
}

const VALUE_TEXT = 'CAST(value AS STRING)';
const FRACTION_SQL = `CONCAT(IF(SUBSTR(${VALUE_TEXT}, 1, 1) = '-', '-', ''), RPAD(IF(INSTR(${VALUE_TEXT}, '.') = 0, '', SUBSTR(${VALUE_TEXT}, INSTR(${VALUE_TEXT}, '.') + 1)), 18, '0'))`;
const ROW_TEXT = `CONCAT_WS(' ', sensor_id, aspect, unit, value_text, created_at, correlation_id, CAST(event_ms AS STRING), CAST(kafka_partition AS STRING), CAST(first_offset AS STRING), CAST(place AS STRING))`;

/**
 * What rows of a day come to, whatever their order: how many, the exact sum of values in whole units and in units of 10⁻¹⁸ (DECIMAL(38,18) itself
 * would overflow), and the sum of a checksum of each row. See `day-figures.ts`.
 */
export const FIGURES_SQL = [
  'COUNT(*) AS readings',
  `SUM(CAST(SUBSTRING_INDEX(${VALUE_TEXT}, '.', 1) AS DECIMAL(20,0))) AS whole_sum`,
  `SUM(CAST(${FRACTION_SQL} AS DECIMAL(18,0))) AS fraction_sum`,
  `SUM(CRC32(${ROW_TEXT})) AS checksum`,
].join(', ');
