const FIXED_OFFSET = /^([+-])(\d{2}):(\d{2})$/;
const DAY_MS = 86_400_000;
/** All changes of clocks since 1990 fall on a quarter of an hour UTC. */
const BUCKET_MS = 900_000;
/** No zone is farther from UTC, and none changes its clocks twice within twice that. */
const WIDEST_OFFSET_MS = 15 * 3_600_000;
const MOST_CACHED_MOMENTS = 20_000;

/** An offset such as `+01:00`, milliseconds; undefined when it is none, or one that no place on earth has. */
export function fixedOffsetMs(text: string): number | undefined {
  const match = FIXED_OFFSET.exec(text);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  if (Number(match[3]) > 59 || minutes * 60_000 > WIDEST_OFFSET_MS) return undefined;
  return minutes * 60_000 * (match[1] === '-' ? -1 : 1);
}

/** Whether a text names a time zone: an IANA name, or a fixed offset such as `+01:00`. */
export function isTimeZone(name: string): boolean {
  if (FIXED_OFFSET.test(name)) return fixedOffsetMs(name) !== undefined;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Local times of one zone as UTC. The rules of the zones are those of the IANA database in Node's ICU.
 */
export class TimeZone {
  readonly name: string;
  readonly #fixedOffsetMs: number | undefined;
  readonly #format: Intl.DateTimeFormat | undefined;
  /** Asking Intl costs microseconds; neighbouring times share their answer. */
  readonly #offsets = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
    const fixed = fixedOffsetMs(name);
    if (fixed !== undefined) {
      this.#fixedOffsetMs = fixed;
    } else if (name === 'UTC') {
      this.#fixedOffsetMs = 0;
    } else {
      this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    }
  }

  /**
   * The moments (epoch milliseconds, earlier first) at which clocks in this zone show a local time, given as if it were UTC: one, as
   * a rule; two in the hour that is repeated when clocks are set back; none in the hour that is left out.
   */
  moments(localMs: number): readonly number[] {
    if (this.#fixedOffsetMs !== undefined) return [localMs - this.#fixedOffsetMs];
    const before = this.#offsetAt(localMs - WIDEST_OFFSET_MS);
    const after = this.#offsetAt(localMs + WIDEST_OFFSET_MS);
    const candidates = before === after ? [localMs - before] : [localMs - before, localMs - after];
    return candidates.filter((moment) => localMs - moment === this.#offsetAt(moment)).sort((a, b) => a - b);
  }

  /** How far clocks in this zone are ahead of UTC at a moment, ms. */
  offsetMs(moment: number): number {
    return this.#fixedOffsetMs ?? this.#offsetAt(moment);
  }

  /** No zone changes its clocks and changes them back within a day: a day that ends as it began has one offset. */
  #offsetAt(moment: number): number {
    const day = Math.floor(moment / DAY_MS) * DAY_MS;
    const atBegin = this.#lookUp(day);
    if (atBegin === this.#lookUp(day + DAY_MS)) return atBegin;
    return this.#lookUp(Math.floor(moment / BUCKET_MS) * BUCKET_MS);
  }

  #lookUp(moment: number): number {
    const known = this.#offsets.get(moment);
    if (known !== undefined) return known;
    const offsetMs = parseOffset(this.#format?.formatToParts(moment));
    if (this.#offsets.size >= MOST_CACHED_MOMENTS) this.#offsets.clear();
    this.#offsets.set(moment, offsetMs);
    return offsetMs;
  }
}

/** `GMT`, `GMT+01:00` → milliseconds. */
function parseOffset(parts: readonly Intl.DateTimeFormatPart[] | undefined): number {
  const name = parts?.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const match = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name);
  if (match === null) return 0;
  const seconds = (Number(match[2]) * 60 + Number(match[3])) * 60 + Number(match[4] ?? 0);
  return seconds * 1_000 * (match[1] === '-' ? -1 : 1);
}
