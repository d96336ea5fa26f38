import { setTimeout as delay } from 'node:timers/promises';

/** What may be taken at once after a pause, in seconds of the rate. */
const BURST_SECONDS = 1;

/**
 * A token bucket: `take` resolves at once as long as the rate holds on the average of about a second, and else waits for as long as the
 * bytes are ahead of it. A piece larger than the bucket passes, and is waited for afterwards.
 */
export class RateLimit {
  readonly #bytesPerSecond: number;
  readonly #nowMs: () => number;
  #tokens: number;
  #filledAtMs: number;

  /** @param bytesPerSecond more than 0 */
  constructor(bytesPerSecond: number, nowMs: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#nowMs = nowMs;
    this.#tokens = bytesPerSecond * BURST_SECONDS;
    this.#filledAtMs = nowMs();
  }

  /** Takes `bytes`, and answers how long to wait before the next, milliseconds. */
  spend(bytes: number): number {
    const nowMs = this.#nowMs();
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#bytesPerSecond;
    this.#tokens = Math.min(this.#bytesPerSecond * BURST_SECONDS, this.#tokens + gained) - bytes;
    this.#filledAtMs = nowMs;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#bytesPerSecond) * 1000;
  }

  /** Takes `bytes` and waits until the rate holds. Rejects with the signal's reason when it is aborted. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const waitMs = this.spend(bytes);
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  }
}
