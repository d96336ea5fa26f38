import { clockTime, dayMs } from '../../../../grid/clock-text.ts';

/** The order of day, month and year of a date in figures. */
export type DateOrder = 'ymd' | 'dmy' | 'mdy';

const MONTHS = new Map(
  [
    ['jan', 'januar', 'january', 'janv', 'ene', 'gen', 'sty'],
    ['feb', 'februar', 'february', 'févr', 'fev', 'lut'],
    ['mar', 'märz', 'mrz', 'march', 'mars', 'mär'],
    ['apr', 'april', 'avr', 'abr', 'kwi'],
    ['may', 'mai', 'mei', 'maj'],
    ['jun', 'juni', 'june', 'juin', 'giu', 'cze'],
    ['jul', 'juli', 'july', 'juil', 'lug', 'lip'],
    ['aug', 'august', 'août', 'ago', 'sie'],
    ['sep', 'sept', 'september', 'set', 'wrz'],
    ['oct', 'okt', 'october', 'oktober', 'ott', 'out', 'paź'],
    ['nov', 'november', 'lis'],
    ['dec', 'dez', 'december', 'dezember', 'déc', 'dic', 'dis', 'gru'],
  ].flatMap((names, index) => names.map((name) => [name, index + 1] as const)),
);

const ZONE = String.raw`(?: ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}))?`;
const CLOCK = String.raw`(\d{1,2}[ABab]?):(\d{2})(?::(\d{2})(?:[.,:](\d{1,12}))?)?(?: ?([AaPp])\.?[Mm]\.?)?`;
const DATE_IN_FIGURES = String.raw`(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})`;
const FIGURES = new RegExp(`^${DATE_IN_FIGURES}(?:[T ,;_]{1,3}${CLOCK}${ZONE})?$`);
const COMPACT = new RegExp(
  String.raw`^(\d{4})(\d{2})(\d{2})(?:[T_ -]?(\d{2})(\d{2})(\d{2})?(?:[.,](\d{1,9}))?${ZONE})?$`,
);
const NAMED = new RegExp(
  String.raw`^(?:\p{L}{2,9},? )?(\d{1,2})(?:\. |[- ./])(\p{L}{3,9})\.?[- ,./]{1,2}(\d{4}|\d{2})(?:[T ,:]{1,2}${CLOCK}${ZONE})?$`,
  'u',
);
const NAMED_FIRST = new RegExp(String.raw`^(\p{L}{3,9})\.? (\d{1,2}),? (\d{4})(?:[T ,]{1,2}${CLOCK}${ZONE})?$`, 'u');
const CLOCK_ALONE = new RegExp(`^${CLOCK}${ZONE}$`);

/** A moment taken apart, of which nothing has been interpreted yet but names of months. */
interface TimeParts {
  /** Three figures of a date in the order in which they stand; with `order` where that is certain. */
  readonly date: readonly [string, string, string] | undefined;
  readonly order: DateOrder | undefined;
  readonly clock:
    | {
        readonly hour: string;
        readonly minute: string;
        readonly second: string;
        readonly fraction: string;
        readonly half: 'a' | 'p' | undefined;
      }
    | undefined;
  readonly zone: string | undefined;
}

const LONGEST = 60;

function clockOf(groups: readonly (string | undefined)[]): Pick<TimeParts, 'clock' | 'zone'> {
  const [hour, minute, second, fraction, half, zone] = groups;
  if (hour === undefined || minute === undefined) return { clock: undefined, zone: undefined };
  const letter = half?.toLowerCase();
  return {
    clock: {
      hour,
      minute,
      second: second ?? '0',
      fraction: fraction ?? '',
      half: letter === 'a' || letter === 'p' ? letter : undefined,
    },
    zone,
  };
}

/** What a text that may tell a moment is made of; undefined: it tells none. */
export function timeParts(text: string): TimeParts | undefined {
  if (text.length > LONGEST || text.length < 4) return undefined;
  const figures = FIGURES.exec(text);
  if (figures !== null) {
    const [, one = '', separator, two = '', three = ''] = figures;
    if (one.length !== 4 && three.length !== 4 && !(one.length <= 2 && three.length === 2)) return undefined;
    if (one.length === 3 || three.length === 3) return undefined;
    const order = one.length === 4 ? 'ymd' : separator === '.' ? 'dmy' : undefined;
    return { date: [one, two, three], order, ...clockOf(figures.slice(5)) };
  }
  const compact = COMPACT.exec(text);
  if (compact !== null) {
    const [, year = '', month = '', day = '', hour, minute, second, fraction, zone] = compact;
    return { date: [year, month, day], order: 'ymd', ...clockOf([hour, minute, second, fraction, undefined, zone]) };
  }
  const named = NAMED.exec(text);
  if (named !== null) {
    const [, day = '', name = '', year = ''] = named;
    const month = MONTHS.get(name.toLowerCase());
    return month === undefined
      ? undefined
      : { date: [day, String(month), year], order: 'dmy', ...clockOf(named.slice(4)) };
  }
  const first = NAMED_FIRST.exec(text);
  if (first !== null) {
    const [, name = '', day = '', year = ''] = first;
    const month = MONTHS.get(name.toLowerCase());
    return month === undefined
      ? undefined
      : { date: [day, String(month), year], order: 'dmy', ...clockOf(first.slice(4)) };
  }
  const clock = CLOCK_ALONE.exec(text);
  return clock === null ? undefined : { date: undefined, order: undefined, ...clockOf(clock.slice(1)) };
}

/** Whether a cell tells a date, a time of day, or both. A number alone is none here, though it may be an epoch. */
export function looksLikeTime(text: string): boolean {
  const parts = timeParts(text);
  if (parts === undefined) return false;
  if (parts.date === undefined) return isClock(parts);
  return (['ymd', 'dmy', 'mdy'] as const).some(
    (order) => (parts.order === undefined || parts.order === order) && dateMs(parts.date, order) !== undefined,
  );
}

function isClock({ clock }: TimeParts): boolean {
  return clock !== undefined && clockTime(clock.hour, Number(clock.minute), Number(clock.second), clock.fraction).ok;
}

/** Years of two figures are those from 1970 to 2069. */
const fullYear = (year: string): number =>
  year.length > 2 ? Number(year) : Number(year) + (Number(year) < 70 ? 2000 : 1900);

/** Nothing was measured electronically before, and nothing is planned after. */
const SANE = { firstYear: 1900, lastYear: 2199 };

export function dateMs(date: TimeParts['date'], order: DateOrder): number | undefined {
  if (date === undefined) return undefined;
  const [one, two, three] = date;
  const [year, month, day] =
    order === 'ymd' ? [one, two, three] : order === 'dmy' ? [three, two, one] : [three, one, two];
  const full = fullYear(year);
  if (full < SANE.firstYear || full > SANE.lastYear || day.length > 2) return undefined;
  return dayMs(full, Number(month), Number(day));
}

/** How a column (or two: date and time of day) tells the moment. */
export interface TimeFormat {
  readonly kind: 'calendar' | 'epoch-s' | 'epoch-ms' | 'epoch-us' | 'epoch-ns' | 'excel-days';
  readonly order: DateOrder;
  /** Added to get UTC where the text has no zone of its own, seconds east of Greenwich. */
  readonly offsetSeconds: number;
}

export interface Moment {
  /** Epoch seconds, JSON number text with the digits of the source. */
  readonly text: string;
  readonly ms: number;
  readonly hasZone: boolean;
}

/**
 * The moment that a cell tells, or two of them, date and time of day.
 *
 * @returns undefined: none, or one that does not exist
 */
export function momentOf(cell: string, second: string | undefined, format: TimeFormat): Moment | undefined {
  const trimmed = cell.trim();
  if (format.kind !== 'calendar') return numberMoment(trimmed, format.kind);
  const parts = timeParts(second === undefined ? trimmed : `${trimmed} ${second.trim()}`);
  if (parts?.date === undefined) return undefined;
  const day = dateMs(parts.date, parts.order ?? format.order);
  if (day === undefined) return undefined;
  const { clock } = parts;
  if (clock === undefined) return momentFrom(day / 1_000 - format.offsetSeconds, '', false);
  const hour =
    clock.half === undefined ? clock.hour : String((Number(clock.hour) % 12) + (clock.half === 'p' ? 12 : 0));
  const time = clockTime(hour, Number(clock.minute), Number(clock.second), clock.fraction);
  if (!time.ok) return undefined;
  const offset = zoneSeconds(parts.zone);
  return momentFrom(
    day / 1_000 + time.secondsOfDay - (offset ?? format.offsetSeconds),
    clock.fraction,
    offset !== undefined,
  );
}

/** Offset that a text names, seconds east of Greenwich. */
export function zoneSeconds(zone: string | undefined): number | undefined {
  if (zone === undefined) return undefined;
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (match === null) return 0;
  const seconds = Number(match[2]) * 3_600 + Number(match[3] ?? 0) * 60;
  return match[1] === '-' ? -seconds : seconds;
}

function momentFrom(seconds: number, fraction: string, hasZone: boolean): Moment {
  const digits = fraction.replace(/0+$/, '');
  // Before 1970 a fraction counts towards the future while the number is negative.
  const exact = digits === '' ? String(seconds) : seconds >= 0 ? `${seconds}.${digits}` : negative(seconds, digits);
  return { text: exact, ms: seconds * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0') || 0), hasZone };
}

function negative(seconds: number, digits: string): string {
  const rest = (10n ** BigInt(digits.length) - BigInt(digits)).toString().padStart(digits.length, '0');
  return `-${-seconds - 1}.${rest}`;
}

const SHIFT = { 'epoch-s': 0, 'epoch-ms': 3, 'epoch-us': 6, 'epoch-ns': 9 } as const;
const DAY_SECONDS = 86_400;
/** Day 25,569 of a spreadsheet is 1 January 1970. */
const EXCEL_EPOCH_DAYS = 25_569n;

function numberMoment(cell: string, kind: Exclude<TimeFormat['kind'], 'calendar'>): Moment | undefined {
  const match = /^(\d{1,20})(?:[.,](\d{0,20}))?$/.exec(cell);
  if (match === null) return undefined;
  const [, integer = '', fraction = ''] = match;
  if (kind === 'excel-days') {
    // Days as a double are exact to some microseconds; so it is the nearest millisecond that was meant.
    const days = Number(`0.${fraction === '' ? '0' : fraction}`);
    const ms =
      Number(BigInt(integer) - EXCEL_EPOCH_DAYS) * DAY_SECONDS * 1_000 + Math.round(days * DAY_SECONDS * 1_000);
    return {
      text: ms % 1_000 === 0 ? String(ms / 1_000) : (ms / 1_000).toFixed(3).replace(/0+$/, ''),
      ms,
      hasZone: false,
    };
  }
  const shift = SHIFT[kind];
  const padded = integer.padStart(shift + 1, '0');
  const seconds = padded.slice(0, padded.length - shift).replace(/^0+(?=\d)/, '');
  const digits = (padded.slice(padded.length - shift) + fraction).replace(/0+$/, '');
  return {
    text: digits === '' ? seconds : `${seconds}.${digits}`,
    ms: Number(seconds) * 1_000 + Number(digits.slice(0, 3).padEnd(3, '0')),
    hasZone: true,
  };
}
