/**
 * The aggregate of `aggregate.ts` as HiveQL, so that Hive adds up the same values in the same way. Hive's DECIMAL has 38 digits and becomes NULL beyond,
 * so sums are kept in parts that stay far below: whole and fraction apart, squares as (a·10⁹ + b)² in three parts. `combinedInPostgres` puts them together.
 */
import { EXACT_INTEGER_DIGITS, EXACT_SCALE } from './exact-decimal.ts';
import { windowLengthMs, type Resolution } from './window.ts';

/** `eventTimeOrderKey` of a canonical envelope's event time: a plain decimal without sign and leading zeros. */
export function orderKeySql(createdAt: string): string {
  return `CONCAT(LPAD(SUBSTRING_INDEX(${createdAt}, '.', 1), 12, '0'), RPAD(${fractionSql(createdAt)}, 18, '0'))`;
}

/** Event time in whole epoch milliseconds, from its order key: 12 digits of seconds, then three of the fraction. */
export function eventMsSql(orderKey: string): string {
  return `CAST(SUBSTR(${orderKey}, 1, 15) AS BIGINT)`;
}

/**
 * Numbers of each reading. Takes rows with the column `plain`, a plain decimal (`-12.50`; empty where the value has more digits than could ever
 * be added up), and gives them with the columns that {@link SUMS} adds up.
 *
 * @param kept columns that are passed on
 */
export function numbersSql(kept: readonly string[], from: string): string {
  const columns = kept.join(', ');
  const rounded = `(CAST(CONCAT(whole, SUBSTR(fraction, 1, 8)) AS DECIMAL(28,0)) + IF(SUBSTR(fraction, 9, 1) >= '5', 1, 0))`;
  return `SELECT ${columns}, is_exact,
    IF(is_exact, CAST(CONCAT(sign, whole) AS DECIMAL(20,0)), NULL) AS whole_value,
    IF(is_exact, CAST(CONCAT(sign, fraction) AS BIGINT), NULL) AS fraction_value,
    IF(is_exact, CAST(CONCAT(sign, whole, '.', fraction) AS DECIMAL(38,18)), NULL) AS exact_value,
    IF(is_exact, IF(sign = '-', -magnitude, magnitude), NULL) AS rounded_value,
    IF(is_exact AND magnitude < 1000000000000000000BD, CAST(magnitude AS BIGINT), NULL) AS squared_root
  FROM (SELECT ${columns}, sign, whole, fraction, is_exact, IF(is_exact, ${rounded}, NULL) AS magnitude
  FROM (SELECT ${columns}, sign, whole, RPAD(SUBSTR(fraction, 1, ${EXACT_SCALE}), ${EXACT_SCALE}, '0') AS fraction,
      LENGTH(whole) BETWEEN 1 AND ${EXACT_INTEGER_DIGITS}
        AND (LENGTH(fraction) <= ${EXACT_SCALE} OR SUBSTR(fraction, ${EXACT_SCALE + 1}) NOT RLIKE '[1-9]') AS is_exact
  FROM (SELECT ${columns}, sign, SUBSTRING_INDEX(digits, '.', 1) AS whole,
      ${fractionSql('digits', 10_000)} AS fraction
  FROM (SELECT ${columns}, IF(SUBSTR(plain, 1, 1) = '-', '-', '') AS sign,
      IF(SUBSTR(plain, 1, 1) = '-', SUBSTR(plain, 2), plain) AS digits
  FROM (${from}) plain_numbers) signed_numbers) split_numbers) checked_numbers) rounded_numbers`;
}

function fractionSql(text: string, most = EXACT_SCALE): string {
  return `IF(INSTR(${text}, '.') = 0, '', SUBSTR(${text}, INSTR(${text}, '.') + 1, ${most}))`;
}

/** A row for each resolution of each reading. */
export function resolutionsSql(resolutions: readonly Resolution[]): string {
  const structs = resolutions.map((resolution) => `STRUCT('${resolution}', ${windowLengthMs(resolution)}L)`);
  return `LATERAL VIEW INLINE(ARRAY(${structs.join(', ')})) windows AS resolution, length_ms`;
}

/** The start of the window that an event time is in; event times lie after 1970. */
export const WINDOW_START_SQL = '(event_ms - event_ms % length_ms)';

/** For how long a value held in its window: until the next reading, at most until the window ends. */
export const HELD_MS_SQL = `(LEAST(COALESCE(next_ms, ${WINDOW_START_SQL} + length_ms), ${WINDOW_START_SQL} + length_ms) - event_ms)`;

/** Columns of a window over rows of {@link numbersSql} with `held_ms` and `value_at`: name, type, and what is added up. */
export const SUMS = [
  ['reading_count', 'BIGINT', 'COUNT(*)'],
  ['inexact_count', 'BIGINT', 'SUM(IF(is_exact, 0, 1))'],
  ['unsquared_count', 'BIGINT', 'SUM(IF(is_exact AND squared_root IS NULL, 1, 0))'],
  ['whole_sum', 'DECIMAL(38,0)', 'SUM(whole_value)'],
  ['fraction_sum', 'DECIMAL(38,0)', 'SUM(CAST(fraction_value AS DECIMAL(18,0)))'],
  ['square_high', 'DECIMAL(38,0)', squareSum('(squared_root DIV 1000000000) * (squared_root DIV 1000000000)')],
  ['square_middle', 'DECIMAL(38,0)', squareSum('(squared_root DIV 1000000000) * (squared_root % 1000000000)')],
  ['square_low', 'DECIMAL(38,0)', squareSum('(squared_root % 1000000000) * (squared_root % 1000000000)')],
  ['value_min', 'DECIMAL(38,18)', 'MIN(exact_value)'],
  ['value_max', 'DECIMAL(38,18)', 'MAX(exact_value)'],
  ['first_at', 'STRING', 'MIN(value_at)'],
  ['last_at', 'STRING', 'MAX(value_at)'],
  ['weighted_sum', 'DECIMAL(38,0)', 'SUM(rounded_value * CAST(held_ms AS DECIMAL(8,0)))'],
  ['weighted_ms', 'BIGINT', 'SUM(IF(is_exact, held_ms, 0))'],
] as const;

function squareSum(product: string): string {
  return `SUM(CAST(${product} AS DECIMAL(18,0)))`;
}

/** Between a place in time and the value: less than any character of an id (`storableText`), so that texts compare as their parts do. */
const VALUE_SEPARATOR_IN_POSTGRES = '\\x01';

/** A value and its place in time as one text that compares as `ValueAtTime.order` does: comparing structs costs Hive as much as all sums together. */
export function valueAtSql(orderKey: string, correlationId: string, modality: string): string {
  return `CONCAT(${orderKey}, ' ', ${correlationId}, '\\u0001', ${modality})`;
}

/** The parts of {@link SUMS} put together, as PostgreSQL's exact numbers; `t` is the alias of the table of parts. */
export const COMBINED_IN_POSTGRES = {
  value_sum: `trim_scale(coalesce(t.whole_sum, 0) + coalesce(t.fraction_sum, 0) * 0.000000000000000001)`,
  value_sum_of_squares: `trim_scale((coalesce(t.square_high, 0) * 1000000000000000000 + coalesce(t.square_middle, 0) * 2000000000
      + coalesce(t.square_low, 0)) * 0.0000000000000001)`,
  weighted_sum: `trim_scale(coalesce(t.weighted_sum, 0) * 0.00000001)`,
  first_order: orderInPostgres('first_at'),
  first_value: valueInPostgres('first_at'),
  last_order: orderInPostgres('last_at'),
  last_value: valueInPostgres('last_at'),
} as const;

function valueInPostgres(at: string): string {
  return `substring(t.${at} from E'[^${VALUE_SEPARATOR_IN_POSTGRES}]*$')`;
}

function orderInPostgres(at: string): string {
  return `left(t.${at}, -1 - length(${valueInPostgres(at)}))`;
}
