/** Where a schedule starts and how fast it runs. */
export interface PacedClockOptions {
  /** Moment of the schedule that lines up with now, epoch milliseconds. */
  readonly startMs: number;
  /** Moment up to which the schedule was sent, if that is earlier: what lies between is caught up. */
  readonly fromMs?: number;
  /** Schedule time per wall time: 1 is real time, 900 a quarter of an hour a second; 0 is as fast as possible. */
  readonly speed: number;
  /** How many times faster than its pace the schedule may run to catch up after a pause. */
  readonly catchUpFactor?: number;
  /** Wall clock in milliseconds; `performance.now`-like clocks serve as well, since only differences count. */
  readonly now?: () => number;
}

/** More wall time than this between two looks at the clock is a pause: what became due in it is caught up, not sent at once. */
const LONGEST_STEP_MS = 100;
const DEFAULT_CATCH_UP_FACTOR = 4;

/**
 * Maps wall time to a schedule. After a pause (the machine slept, Kafka did not take anything) the schedule is caught up at a
 * few times its pace instead of in one burst: between two looks it moves by at most {@link LONGEST_STEP_MS} times the pace times the
 * catch-up factor. Stretches in which nothing is due are skipped freely, for nothing bursts there.
 */
export class PacedClock {
  readonly #options: Required<PacedClockOptions>;
  readonly #wallStartMs: number;
  #lastWallMs: number;
  #positionMs: number;

  constructor(options: PacedClockOptions) {
    this.#options = { catchUpFactor: DEFAULT_CATCH_UP_FACTOR, now: Date.now, fromMs: options.startMs, ...options };
    this.#wallStartMs = this.#options.now();
    this.#lastWallMs = this.#wallStartMs;
    this.#positionMs = Math.min(options.startMs, this.#options.fromMs);
  }

  /**
   * The moment of the schedule up to which records may be sent now, epoch milliseconds.
   *
   * @param nextDueMs the moment before which nothing is due, if that is known.
   */
  position(nextDueMs?: number): number {
    const { startMs, speed, catchUpFactor, now } = this.#options;
    if (speed === 0) return Infinity;
    const wallMs = now();
    const stepMs = Math.min(Math.max(wallMs - this.#lastWallMs, 0), LONGEST_STEP_MS);
    this.#lastWallMs = wallMs;
    const idealMs = startMs + (wallMs - this.#wallStartMs) * speed;
    const allowedMs = Math.max(this.#positionMs, nextDueMs ?? -Infinity) + stepMs * speed * catchUpFactor;
    // A wall clock that was set back must not take back what was sent.
    this.#positionMs = Math.max(this.#positionMs, Math.min(idealMs, allowedMs));
    return this.#positionMs;
  }

  /** Wall milliseconds until the schedule reaches `dueMs`. */
  waitMs(dueMs: number): number {
    const { startMs, speed, now } = this.#options;
    if (speed === 0) return 0;
    return Math.max(0, (dueMs - startMs) / speed - (now() - this.#wallStartMs));
  }

  /** How far the schedule is behind its pace, in schedule milliseconds; 0 without a pace. */
  lagMs(): number {
    const { startMs, speed, now } = this.#options;
    if (speed === 0) return 0;
    return Math.max(0, startMs + (now() - this.#wallStartMs) * speed - this.#positionMs);
  }
}
