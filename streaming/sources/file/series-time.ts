import { decimalParts } from '../../../grid/decimal-text.ts';
import { EARLIEST_EVENT_TIME_MS } from '../../../grid/envelope.ts';
import { TimeZone } from './time-zone.ts';

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

interface Local {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
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
    const localMs = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
    // Date.UTC accepts 31 February as 2 March.
    const back = new Date(localMs);
    if (
      back.getUTCMonth() !== local.month - 1 ||
      back.getUTCDate() !== local.day ||
      local.hour > 23 ||
      local.minute > 59 ||
      local.second > 59
    ) {
      return failure(`${JSON.stringify(text)} is no date and time of the calendar`);
    }
    if (local.offsetMs !== undefined) return success(localMs - local.offsetMs, local.fraction);
    const [first, second] = this.#zone.moments(localMs);
    if (first === undefined) {
      return failure(
        `${JSON.stringify(text)} never was in ${this.#zone.name}, where clocks were set forward over it; if the source does not change its clocks, give its zone as a fixed offset such as +01:00`,
      );
    }
    if (second === undefined) return success(first, local.fraction);
    return success(this.#isSecond(first, local.fraction) ? second : first, local.fraction);
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
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,18}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** ISO 8601 in its extended form; without an offset it is local time. */
function isoLocal(text: string): Local | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = match;
  const local = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    fraction,
  };
  return offset === undefined ? local : { ...local, offsetMs: isoOffsetMs(offset) };
}

function isoOffsetMs(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.slice(1).replace(':', '').padEnd(4, '0');
  return (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000 * (text.startsWith('-') ? -1 : 1);
}

function patternParser(format: string): (text: string) => Local | undefined {
  const names: string[] = [];
  let source = '';
  let end = 0;
  for (const match of format.matchAll(TOKENS)) {
    const token = match[0];
    source += escapeLiteral(format.slice(end, match.index));
    source += token === 'YYYY' ? '(\\d{4})' : token.startsWith('S') ? '(\\d{1,18})' : '(\\d{1,2})';
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
      hour: Number(at(3)),
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
