/** The rate of a counter over the last seconds, from readings of it at any times. */
export class Rate {
  readonly #windowMs: number;
  #points: { atMs: number; count: number }[] = [];

  /** @param windowMs over how long it is averaged. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes a reading; one that is lower than the last (the counter began anew) starts over. */
  add(count: number, atMs: number): void {
    const last = this.#points.at(-1);
    if (last !== undefined && count < last.count) this.#points = [];
    this.#points.push({ atMs, count });
    // One point at or before the window's start is kept: the rate covers the whole window.
    while ((this.#points[1]?.atMs ?? Infinity) <= atMs - this.#windowMs) this.#points.shift();
  }

  /** Per second; undefined before there are two readings. */
  get perSecond(): number | undefined {
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
    return ((last.count - first.count) * 1_000) / (last.atMs - first.atMs);
  }
}
