/** The columns that readings have in Hive, wherever they come from, and the HiveQL by which they are made. */
import { quoteString } from '../../connectors/hive/hive.ts';
import { EPOCH_TYPE } from '../import/publish/reading-time.ts';

/** Columns of `readings_imported`, and of all tables of readings that are put together with it: name, type, what it is. */
export const READING_COLUMNS = [
  ['sensor_id', 'STRING', 'who measured'],
  ['aspect', 'STRING', 'real_time or edge_prediction'],
  ['unit', 'STRING', 'of the value; empty where nothing tells'],
  ['value_text', 'STRING', 'the value, in the digits that the source has'],
  ['value', 'DECIMAL(38,18)', 'the same as a number; NULL where it does not fit'],
  ['event_time', 'TIMESTAMP', 'when, in UTC'],
  ['event_ms', 'BIGINT', 'the same in whole epoch milliseconds'],
  ['created_at', 'STRING', 'the same in epoch seconds, exact'],
  ['correlation_id', 'STRING', 'identifies the reading'],
  ['origin', 'STRING', 'stream or import'],
  ['source_table', 'STRING', 'the imported table; NULL for readings of the stream'],
  ['kafka_partition', 'INT', 'NULL for imported readings'],
  ['first_offset', 'BIGINT', 'first offset of its file; NULL for imported readings'],
  ['place', 'BIGINT', 'where in its file, in bytes; NULL for imported readings'],
  ['event_day', 'STRING', 'day of the event time, UTC, YYYY-MM-DD'],
] as const;

const NUMBER = String.raw`^[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,3})?$`;
const FRACTION = String.raw`^[^.eE]*(?:\.(\d*?)0*)?(?:[eE].*)?$`;
const EXPONENT = String.raw`[eE]([+-]?\d+)$`;

/** The number that a text is; NULL for a text that is none, and for one that DECIMAL(38,18) cannot hold to its last digit (a cast would round it). */
export function exactValueSql(text: string): string {
  const part = (pattern: string): string => `REGEXP_EXTRACT(${text}, ${quoteString(pattern)}, 1)`;
  const digits = `LENGTH(COALESCE(${part(FRACTION)}, ''))`;
  const exponent = `COALESCE(CAST(${part(EXPONENT)} AS INT), 0)`;
  return `IF(${text} RLIKE ${quoteString(NUMBER)} AND ${digits} - ${exponent} <= 18, CAST(${text} AS DECIMAL(38,18)), NULL)`;
}

/** Whole epoch milliseconds of exact epoch seconds, a text or a number. */
export function epochMsSql(epoch: string): string {
  return `CAST(FLOOR(CAST(${epoch} AS ${EPOCH_TYPE}) * 1000) AS BIGINT)`;
}

/** The day of a TIMESTAMP, `YYYY-MM-DD`. */
export function daySql(eventTime: string): string {
  return `SUBSTR(CAST(${eventTime} AS STRING), 1, 10)`;
}

/** A unit as the batch views key it (`grid/aggregate/window-unit.ts`): of endless ones the beginning and a digest of the whole. */
export function unitSql(unit: string): string {
  return `IF(LENGTH(${unit}) <= 128, ${unit}, CONCAT(SUBSTR(${unit}, 1, 63), ${quoteString('…')}, SHA2(${unit}, 256)))`;
}
