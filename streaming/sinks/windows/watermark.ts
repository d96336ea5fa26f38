export interface WatermarkLimits {
  /** How much later than newer ones a reading may come before its window is final. */
  readonly latenessMs: number;
  /** How long no measurement has to come until the clock moves the watermark on in its place. */
  readonly idleMs: number;
}

/**
 * The event time of a partition that is passed: of the newest measurement, less the lateness that is allowed. Forecasts lie ahead and say nothing of
 * it; nor does a clock that goes wrong: no measurement counts as newer than the moment at which it was appended to Kafka. It never goes back.
 */
export class Watermark {
  readonly #limits: WatermarkLimits;
  #newestMs: number;
  #observedAtMs: number;

  /**
   * @param watermarkMs to go on from
   * @param nowMs when the partition was opened
   */
  constructor(limits: WatermarkLimits, watermarkMs: number | undefined, nowMs: number) {
    this.#limits = limits;
    this.#newestMs = watermarkMs === undefined ? -Infinity : watermarkMs + limits.latenessMs;
    this.#observedAtMs = nowMs;
  }

  /** A measurement, of the time at which it happened, was appended and is read. */
  observe(eventTimeMs: number, appendedMs: number, nowMs: number): void {
    this.#observedAtMs = nowMs;
    const newestMs = Math.min(eventTimeMs, appendedMs, nowMs);
    if (newestMs > this.#newestMs) this.#newestMs = newestMs;
  }

  /** @param isCaughtUp whether the partition is read to its end: only then is silence a sign that nothing older will come */
  at(nowMs: number, isCaughtUp: boolean): number | undefined {
    const { latenessMs, idleMs } = this.#limits;
    if (isCaughtUp && nowMs - this.#observedAtMs >= idleMs && nowMs > this.#newestMs) this.#newestMs = nowMs;
    return this.#newestMs === -Infinity ? undefined : Math.floor(this.#newestMs - latenessMs);
  }
}
