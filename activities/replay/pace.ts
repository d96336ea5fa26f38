import { setTimeout as delay } from 'node:timers/promises';
import type { ReplayInput } from '../../workflows/replay/contract.ts';

/** Keeps a replay from being faster than it is to be: in readings a second, and in event time. */
export class Pace {
  readonly #input: Pick<ReplayInput, 'speed' | 'readingsPerSecond'>;
  readonly #begunMs = Date.now();
  #readings = 0;
  #firstMs: number | undefined;

  constructor(input: Pick<ReplayInput, 'speed' | 'readingsPerSecond'>) {
    this.#input = input;
  }

  /**
   * Waits until it is time for readings.
   *
   * @param newestMs event time of the newest of them; none: negative infinity
   * @throws the signal's reason
   */
  async wait(readings: number, newestMs: number, signal: AbortSignal): Promise<void> {
    const { speed, readingsPerSecond } = this.#input;
    const byCount = (this.#readings * 1_000) / readingsPerSecond;
    this.#readings += readings;
    let byTime = 0;
    if (speed > 0 && Number.isFinite(newestMs)) {
      this.#firstMs ??= newestMs;
      byTime = (newestMs - this.#firstMs) / speed;
    }
    const restMs = this.#begunMs + Math.max(byCount, byTime) - Date.now();
    if (restMs > 0) await delay(restMs, undefined, { signal });
  }
}
