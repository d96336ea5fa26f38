import { windowLengthMs } from '../../grid/aggregate/window.ts';

const DAY_MS = windowLengthMs('day');
const FIRST_DAY = 0;
/** The last day of the year 9999. */
const LAST_DAY = 2_932_896;

/** Days since 1970, both ends included. */
export type Stretch = readonly [first: number, last: number];

/** So many stretches are told apart: each is a condition in the statements. */
const MOST_STRETCHES = 200;

/** Event days (UTC) as stretches that neither overlap nor touch, in order. */
export class EventDays {
  #stretches: Stretch[] = [];

  static readonly all: EventDays = EventDays.of([[FIRST_DAY, LAST_DAY]]);

  static of(stretches: Iterable<Stretch>): EventDays {
    const days = new EventDays();
    for (const stretch of stretches) days.#add(stretch);
    return days;
  }

  /** The days that a time from `fromMs` to before `toMs` touches; open ends reach to the first and last day. */
  static between(fromMs: number | undefined, toMs: number | undefined): EventDays {
    const first = fromMs === undefined ? FIRST_DAY : Math.floor(fromMs / DAY_MS);
    const last = toMs === undefined ? LAST_DAY : Math.ceil(toMs / DAY_MS) - 1;
    return EventDays.of(last < first ? [] : [[first, last]]);
  }

  get isEmpty(): boolean {
    return this.#stretches.length === 0;
  }

  get isAll(): boolean {
    const [[first, last] = [1, 0]] = this.#stretches;
    return first <= FIRST_DAY && last >= LAST_DAY;
  }

  /** Of very many stretches the closest are told as one: days in between are computed in vain, but not wrong. */
  get stretches(): readonly Stretch[] {
    if (this.#stretches.length <= MOST_STRETCHES) return this.#stretches;
    const gaps = this.#stretches.slice(1).map(([first], index) => first - (this.#stretches[index]?.[1] ?? 0));
    const widest = [...gaps].sort((a, b) => b - a)[MOST_STRETCHES - 2] ?? 0;
    const joined: [number, number][] = [];
    for (const [first, last] of this.#stretches) {
      const before = joined.at(-1);
      const isFull = joined.length === MOST_STRETCHES;
      if (before !== undefined && (isFull || first - before[1] < widest)) before[1] = last;
      else joined.push([first, last]);
    }
    return joined;
  }

  /** Adds the days from one moment to another, both epoch ms and both included. */
  addTimes(minMs: number, maxMs: number): void {
    this.#add([Math.floor(minMs / DAY_MS), Math.floor(maxMs / DAY_MS)]);
  }

  addAll(other: EventDays): void {
    for (const stretch of other.#stretches) this.#add(stretch);
  }

  /** Whether a moment from `minMs` to `maxMs` is on one of these days. */
  touches(minMs: number, maxMs: number): boolean {
    const [first, last] = [Math.floor(minMs / DAY_MS), Math.floor(maxMs / DAY_MS)];
    const stretch = this.#stretches[this.#indexFrom(first)];
    return stretch !== undefined && stretch[0] <= last;
  }

  /** Whether all moments from `minMs` to `maxMs` are on these days. */
  holds(minMs: number, maxMs: number): boolean {
    const [first, last] = [Math.floor(minMs / DAY_MS), Math.floor(maxMs / DAY_MS)];
    const stretch = this.#stretches[this.#indexFrom(first)];
    return stretch !== undefined && stretch[0] <= first && stretch[1] >= last;
  }

  /** Whether all these days are among others. */
  isWithin(others: EventDays): boolean {
    return this.#stretches.every(([first, last]) => others.holds(first * DAY_MS, last * DAY_MS));
  }

  /** Index of the first stretch that ends on a day or after it. */
  #indexFrom(day: number): number {
    let [low, high] = [0, this.#stretches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#stretches[middle]?.[1] ?? 0) < day) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #add([first, last]: Stretch): void {
    const from = this.#indexFrom(first - 1);
    let to = from;
    let [start, end] = [first, last];
    for (let at = this.#stretches[to]; at !== undefined && at[0] <= last + 1; at = this.#stretches[++to]) {
      start = Math.min(start, at[0]);
      end = Math.max(end, at[1]);
    }
    this.#stretches.splice(from, to - from, [start, end]);
  }
}

/** First millisecond of a stretch, and the first after it. */
export function boundsMs([first, last]: Stretch): readonly [fromMs: number, toMs: number] {
  return [first * DAY_MS, (last + 1) * DAY_MS];
}

/** `2024-02-29` */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
