import { clockTime, dayMs, HOUR_PATTERN } from '../../../grid/clock-text.ts';
import { decimalParts } from '../../../grid/decimal-text.ts';
import { EARLIEST_EVENT_TIME_MS } from '../../../grid/envelope.ts';
import { fixedOffsetMs, TimeZone } from '../../../grid/time-zone.ts';

/** A moment with every digit that the source wrote: whole epoch seconds and the digits of the fraction. */
export interface SeriesTime {
  readonly epochSeconds: number;
  /** Digits after the decimal point, without trailing zeros being added or removed; may be empty. */
  readonly fraction: string;
}

export type TimeParsed =
  { readonly ok: true; readonly time: SeriesTime } | { readonly ok: false; readonly message: string };

/** Whole epoch milliseconds, rounded towards the past. */
export function timeMs({ epochSeconds, fraction }: SeriesTime): number {
  return epochSeconds * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** As `created_at` is written: epoch seconds, with the fraction that the source gave. */
export function createdAtText({ epochSeconds, fraction }: SeriesTime): string {
  return fraction === '' ? String(epochSeconds) : `${epochSeconds}.${fraction}`;
}

const NAMED_FORMATS: readonly string[] = ['iso', 'epoch-seconds', 'epoch-milliseconds'];
/** Parts of a pattern; as in Day.js, Moment and the like. `S` repeated is a fraction of any length. */
const TOKENS = /YYYY|MM|DD|HH|mm|ss|S+/g;

/** Whether a text is a format that {@link SeriesClock} knows. */
export function checkTimePattern(format: string): boolean {
  if (NAMED_FORMATS.includes(format)) return true;
  const tokens = format.match(TOKENS) ?? [];
  const names = tokens.map((token) => (token.startsWith('S') ? 'S' : token));
  return new Set(names).size === names.length && ['YYYY', 'MM', 'DD'].every((name) => names.includes(name));
}

/** Longer than any time is written, with all the digits of its fraction. */
const LONGEST_TIME_TEXT = 64;

interface Local {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** As it is written: `02`, `2A`. */
  readonly hour: string;
  readonly minute: number;
  readonly second: number;
  readonly fraction: string;
  /** Offset that the text itself gives, milliseconds. */
  readonly offsetMs?: number;
}

/**
 * Reads the times of one file. Local times are resolved by its zone; of a local time that occurs twice (clocks set back), the rule
 * `by-order` takes the first moment that is not before the row above, since files are written in the order of time. A local time that
 * never was (clocks set forward) is an error: whatever moment were taken would be invented.
 */
export class SeriesClock {
  readonly #format: string;
  readonly #zone: TimeZone;
  readonly #overlap: 'by-order' | 'earlier' | 'later';
  readonly #parse: (text: string) => Local | SeriesTime | undefined;
  readonly #latestPlausibleMs: number;
  /** The latest moment read so far, epoch milliseconds. */
  #latestMs: number;

  /**
   * @param bounds `latestMs`: the latest moment before the place where reading starts, when that is not the beginning; all in
   *   epoch milliseconds.
   */
  constructor(
    options: { readonly format: string; readonly timeZone: string; readonly overlap: 'by-order' | 'earlier' | 'later' },
    bounds: { readonly latestPlausibleMs?: number; readonly latestMs?: number } = {},
  ) {
    this.#format = options.format;
    this.#zone = new TimeZone(options.timeZone);
    this.#overlap = options.overlap;
    this.#latestPlausibleMs = bounds.latestPlausibleMs ?? Infinity;
    this.#latestMs = bounds.latestMs ?? -Infinity;
    this.#parse = parserOf(options.format);
  }

  get latestMs(): number {
    return this.#latestMs;
  }

  read(text: string): TimeParsed {
    const trimmed = text.trim();
    if (trimmed.length > LONGEST_TIME_TEXT) {
      return failure(`${JSON.stringify(trimmed.slice(0, LONGEST_TIME_TEXT))}… is too long for a time`);
    }
    const parsed = this.#parse(trimmed);
    if (parsed === undefined) return failure(`${JSON.stringify(trimmed)} is no time of the format ${this.#format}`);
    const result = 'epochSeconds' in parsed ? ({ ok: true, time: parsed } as const) : this.#resolve(parsed, trimmed);
    if (!result.ok) return result;
    const ms = timeMs(result.time);
    if (ms < EARLIEST_EVENT_TIME_MS || ms > this.#latestPlausibleMs) {
      return failure(
        `${JSON.stringify(trimmed)} is ${ms < EARLIEST_EVENT_TIME_MS ? 'before 1990' : 'too far in the future'}; is the format right? (real series of the future can be replayed with shifted time stamps)`,
      );
    }
    this.#latestMs = Math.max(this.#latestMs, ms);
    return result;
  }

  #resolve(local: Local, text: string): TimeParsed {
    const day = dayMs(local.year, local.month, local.day);
    const clock = clockTime(local.hour, local.minute, local.second, local.fraction);
    if (!clock.ok && clock.fault === 'leap-second') {
      return failure(`${JSON.stringify(text)} is a leap second, which epoch time does not have`);
    }
    if (day === undefined || !clock.ok) return failure(`${JSON.stringify(text)} is no date and time of the calendar`);
    const { secondsOfDay, half } = clock;
    const localMs = day + secondsOfDay * 1_000;
    const moments: readonly number[] =
      local.offsetMs === undefined ? this.#zone.moments(localMs) : [localMs - local.offsetMs];
    const [first, second] = moments;
    if (first === undefined) {
      return failure(
        `${JSON.stringify(text)} never was in ${this.#zone.name}, where clocks were set forward over it; if the source does not change its clocks, give its zone as a fixed offset such as +01:00`,
      );
    }
    if (second === undefined) {
      if (half === undefined) return success(first, local.fraction);
      return failure(
        `${JSON.stringify(text)} names one of two hours, but ${local.offsetMs === undefined ? `that time was only once in ${this.#zone.name}; is its zone right?` : 'it has an offset as well, which says which one it is'}`,
      );
    }
    const isSecond = half === undefined ? this.#isSecond(first, local.fraction) : half === 'B';
    return success(isSecond ? second : first, local.fraction);
  }

  #isSecond(first: number, fraction: string): boolean {
    if (this.#overlap !== 'by-order') return this.#overlap === 'later';
    return timeMs({ epochSeconds: first / 1_000, fraction }) < this.#latestMs;
  }
}

function parserOf(format: string): (text: string) => Local | SeriesTime | undefined {
  switch (format) {
    case 'epoch-seconds':
      return (text) => epochTime(text, 0);
    case 'epoch-milliseconds':
      return (text) => epochTime(text, 3);
    case 'iso':
      return isoLocal;
    default:
      return patternParser(format);
  }
}

/** Decimal epoch time whose unit is 10^-shift seconds. */
function epochTime(text: string, shift: number): SeriesTime | undefined {
  const parts = decimalParts(text);
  if (parts === undefined || parts.negative) return undefined;
  const integer = parts.integer.padStart(shift + 1, '0');
  const split = integer.length - shift;
  const epochSeconds = Number(integer.slice(0, split));
  if (!Number.isSafeInteger(epochSeconds * 1_000)) return undefined;
  return { epochSeconds, fraction: integer.slice(split) + parts.fraction };
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}|\d{1,2}[ABab]):(\d{2})(?::(\d{2})(?:[.,](\d{1,18}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** ISO 8601 in its extended form; without an offset it is local time. */
function isoLocal(text: string): Local | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = match;
  const local = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour,
    minute: Number(minute),
    second: Number(second),
    fraction,
  };
  if (offset === undefined) return local;
  const offsetMs = isoOffsetMs(offset);
  return offsetMs === undefined ? undefined : { ...local, offsetMs };
}

function isoOffsetMs(text: string): number | undefined {
  if (text === 'Z') return 0;
  const digits = text.slice(1).replace(':', '').padEnd(4, '0');
  return fixedOffsetMs(`${text.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`);
}

function patternParser(format: string): (text: string) => Local | undefined {
  const names: string[] = [];
  let source = '';
  let end = 0;
  for (const match of format.matchAll(TOKENS)) {
    const token = match[0];
    source += escapeLiteral(format.slice(end, match.index));
    source +=
      token === 'YYYY'
        ? '(\\d{4})'
        : token === 'HH'
          ? `(${HOUR_PATTERN})`
          : token.startsWith('S')
            ? '(\\d{1,18})'
            : '(\\d{1,2})';
    names.push(token.startsWith('S') ? 'S' : token);
    end = match.index + token.length;
  }
  const pattern = new RegExp(`^${source}${escapeLiteral(format.slice(end))}$`);
  const place = (name: string): number => names.indexOf(name) + 1;
  const places = ['YYYY', 'MM', 'DD', 'HH', 'mm', 'ss', 'S'].map(place);
  return (text) => {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const at = (index: number): string => (places[index] === 0 ? '' : (match[places[index] ?? 0] ?? ''));
    return {
      year: Number(at(0)),
      month: Number(at(1)),
      day: Number(at(2)),
      hour: at(3) === '' ? '0' : at(3),
      minute: Number(at(4)),
      second: Number(at(5)),
      fraction: at(6),
    };
  };
}

function escapeLiteral(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function success(ms: number, fraction: string): TimeParsed {
  return { ok: true, time: { epochSeconds: ms / 1_000, fraction } };
}

function failure(message: string): TimeParsed {
  return { ok: false, message };
}
