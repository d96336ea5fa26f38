import { quoteString } from '../../../connectors/hive/hive.ts';

/** Holds an epoch time of every TIMESTAMP that Hive has, to the nanosecond. */
export const EPOCH_TYPE = 'DECIMAL(21,9)';

/** The years 1 to 9999, epoch seconds. */
const EARLIEST = '-62135596800';
const BEYOND = '253402300800';

/** Factors to seconds of the formats that are a number. */
const EPOCH_FORMATS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    'epoch-seconds': '',
    'epoch-milliseconds': `CAST('0.001' AS DECIMAL(4,3))`,
    'epoch-microseconds': `CAST('0.000001' AS DECIMAL(7,6))`,
    'epoch-nanoseconds': `CAST('0.000000001' AS DECIMAL(10,9))`,
  }),
);

/** How a column's values say a time. */
export type TimeForm =
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'date' }
  /** Epoch time as a number (or its text), in seconds times `factor`. */
  | { readonly kind: 'epoch'; readonly factor: string }
  | { readonly kind: 'text'; readonly pattern: TextPattern };

/** A regular expression of Java's, and which of its groups are what. */
interface TextPattern {
  readonly expression: string;
  readonly groups: Readonly<Partial<Record<TimePart, number>>>;
}

type TimePart = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'fraction' | 'offset';

const HOUR = String.raw`([01]?\d|2[0-4])`;
const SIXTIETH = String.raw`([0-5]?\d)`;
/** TIMESTAMP has nine digits; further ones are cut. */
const FRACTION = String.raw`(\d{1,9})\d{0,30}`;
/** Tokens of a pattern, as the sources of files know them (and Day.js, Moment and the like). */
const TOKENS = /YYYY|MM|DD|HH|mm|ss|S+/g;
const OF_TOKEN: ReadonlyMap<string, readonly [TimePart, string]> = new Map(
  Object.entries<readonly [TimePart, string]>({
    YYYY: ['year', String.raw`(\d{4})`],
    MM: ['month', String.raw`(\d{1,2})`],
    DD: ['day', String.raw`(\d{1,2})`],
    HH: ['hour', HOUR],
    mm: ['minute', SIXTIETH],
    ss: ['second', SIXTIETH],
    S: ['fraction', FRACTION],
  }),
);

const ISO: TextPattern = {
  expression: String.raw`^\s*(\d{4})-(\d\d)-(\d\d)(?:[ T]([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(?:[.,]${FRACTION})?)?)? ?(Z|z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?\s*$`,
  groups: { year: 1, month: 2, day: 3, hour: 4, minute: 5, second: 6, fraction: 7, offset: 8 },
};

/**
 * How a column gives a time; a sentence when it gives none.
 *
 * @param format as declared: `iso` (the default of text), `epoch-seconds` (the default of numbers), `epoch-milliseconds`,
 * `epoch-microseconds`, `epoch-nanoseconds`, or a pattern such as `DD.MM.YYYY HH:mm`
 */
export function timeForm(hiveType: string, format: string | undefined): TimeForm | { readonly problem: string } {
  const type = hiveType.toUpperCase();
  if (type === 'TIMESTAMP' || type === 'DATE') {
    if (format !== undefined)
      return { problem: `the format ${JSON.stringify(format)} is for text and numbers, not for ${type}` };
    return { kind: type === 'DATE' ? 'date' : 'timestamp' };
  }
  const isText = /^(?:STRING|VARCHAR|CHAR)/.test(type);
  if (!isText && !/^(?:TINYINT|SMALLINT|INT|BIGINT|FLOAT|DOUBLE|DECIMAL)/.test(type)) {
    return { problem: `${hiveType} is no time` };
  }
  const wanted = format ?? (isText ? 'iso' : 'epoch-seconds');
  const factor = EPOCH_FORMATS.get(wanted);
  if (factor !== undefined) return { kind: 'epoch', factor };
  const pattern = wanted === 'iso' ? ISO : patternOf(wanted);
  if (pattern === undefined || (wanted === 'iso' && !isText)) {
    const known = ['iso', ...EPOCH_FORMATS.keys()].join(', ');
    return {
      problem: `${JSON.stringify(wanted)} is no format of a ${type}; there are ${known}, and patterns with YYYY, MM, DD, HH, mm, ss and S`,
    };
  }
  return { kind: 'text', pattern };
}

/** Undefined unless it has year, month and day, and nothing twice. */
function patternOf(format: string): TextPattern | undefined {
  const groups: Partial<Record<TimePart, number>> = {};
  let expression = '';
  let end = 0;
  let group = 0;
  for (const { 0: token, index } of format.matchAll(TOKENS)) {
    const [part, form] = OF_TOKEN.get(token.startsWith('S') ? 'S' : token) ?? [];
    if (part === undefined || form === undefined || groups[part] !== undefined) return undefined;
    groups[part] = ++group;
    expression += literally(format.slice(end, index)) + form;
    end = index + token.length;
  }
  if (groups.year === undefined || groups.month === undefined || groups.day === undefined) return undefined;
  return { expression: String.raw`^\s*${expression}${literally(format.slice(end))}\s*$`, groups };
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Epoch seconds of a number; NULL beyond what TIMESTAMP holds. */
export function epochOfNumber(name: string, factor: string): string {
  const seconds =
    factor === ''
      ? `CAST(${name} AS ${EPOCH_TYPE})`
      : `CAST(CAST(${name} AS DECIMAL(28,9)) * ${factor} AS ${EPOCH_TYPE})`;
  return `CASE WHEN ${seconds} >= ${EARLIEST} AND ${seconds} < ${BEYOND} THEN ${seconds} END`;
}

/** TIMESTAMP, in UTC, of epoch seconds of {@link EPOCH_TYPE}. */
export function timestampOfEpoch(epoch: string): string {
  const seconds = `CAST(FLOOR(${epoch}) AS BIGINT)`;
  return [
    // Hive adds whole seconds only, not too many, and casts no number to TIMESTAMP by strict settings.
    `CAST(CONCAT(CAST(`,
    `CAST(DATE_ADD(DATE '1970-01-01', CAST(FLOOR(${seconds} / 86400) AS INT)) AS TIMESTAMP)`,
    `+ INTERVAL (CAST(PMOD(${seconds}, 86400) AS INT)) SECOND AS STRING), '.',`,
    `SUBSTR(CAST(${epoch} - FLOOR(${epoch}) + 1 AS STRING), 3)) AS TIMESTAMP)`,
  ].join(' ');
}

/**
 * Epoch seconds of a text; NULL for one that has another form or is no time of the calendar. 24:00 is the end of its day, which is
 * 00:00 of the next; 25:10, 10:61 and 23:59:60 are none. Without an offset it is local.
 *
 * @param toUtc of an expression for a local TIMESTAMP
 */
export function epochOfText(
  name: string,
  { expression, groups }: TextPattern,
  toUtc: (local: string) => string,
): string {
  const pattern = quoteString(expression);
  // A group that is not there is NULL.
  const part = (which: TimePart): string => {
    const group = groups[which];
    return group === undefined ? `''` : `COALESCE(REGEXP_EXTRACT(${name}, ${pattern}, ${group}), '')`;
  };
  const two = (which: TimePart): string => (groups[which] === undefined ? `'00'` : `LPAD(${part(which)}, 2, '0')`);
  const date = `CONCAT(${part('year')}, '-', ${two('month')}, '-', ${two('day')})`;
  const isEnd = `${part('hour')} = '24'`;
  const nextDay = `CAST(DATE_ADD(CAST(${date} AS DATE), 1) AS STRING)`;
  const clock = `CONCAT(IF(${isEnd}, '00', ${two('hour')}), ':', ${two('minute')}, ':', ${two('second')})`;
  const local = `CAST(CONCAT(IF(${isEnd}, ${nextDay}, ${date}), ' ', ${clock}) AS TIMESTAMP)`;
  // Added by itself: Hive makes a number of a TIMESTAMP by way of a DOUBLE, which has 17 digits.
  const fraction =
    groups.fraction === undefined ? '' : ` + CAST(CONCAT('0.', RPAD(${part('fraction')}, 9, '0')) AS DECIMAL(10,9))`;
  const epoch = (utc: string, less = ''): string =>
    `CAST(CAST(${utc} AS ${EPOCH_TYPE})${fraction}${less} AS ${EPOCH_TYPE})`;
  const afterEnd = `${isEnd} AND CONCAT(${two('minute')}, ${two('second')}, ${part('fraction')}) RLIKE '[1-9]'`;
  const cases = [`CASE WHEN NOT ${name} RLIKE ${pattern} THEN NULL`, `WHEN CAST(${date} AS DATE) IS NULL THEN NULL`];
  if (groups.hour !== undefined) cases.push(`WHEN ${afterEnd} THEN NULL`);
  if (groups.offset === undefined) return [...cases, `ELSE ${epoch(toUtc(local))} END`].join(' ');
  const offset = part('offset');
  const minutes = `CAST(CONCAT('0', SUBSTR(REGEXP_REPLACE(${offset}, ':', ''), 4, 2)) AS INT)`;
  const seconds = `IF(SUBSTR(${offset}, 1, 1) = '-', -1, 1) * (CAST(SUBSTR(${offset}, 2, 2) AS INT) * 3600 + ${minutes} * 60)`;
  return [
    ...cases,
    `WHEN ${offset} = '' THEN ${epoch(toUtc(local))}`,
    `WHEN UPPER(${offset}) = 'Z' THEN ${epoch(local)}`,
    `ELSE ${epoch(local, ` - ${seconds}`)} END`,
  ].join(' ');
}
