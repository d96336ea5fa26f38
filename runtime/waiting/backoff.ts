import { pause } from './pause.ts';

export interface BackoffLimits {
  readonly firstMs: number;
  readonly longestMs: number;
  /** Share by which a delay may be shorter or longer, by chance, so that many do not come back at once. Default 0. */
  readonly jitter?: number;
}

/** The delays before tries that follow failures: each twice as long as the one before, up to a longest. */
export class Backoff {
  readonly #limits: BackoffLimits;
  #nextMs: number;

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
    this.#nextMs = limits.firstMs;
  }

  /** The delay before the next try, ms; the one after it is longer. */
  next(): number {
    const { longestMs, jitter = 0 } = this.#limits;
    const delayMs = Math.min(longestMs, this.#nextMs);
    this.#nextMs = Math.min(longestMs, delayMs * 2);
    return jitter === 0 ? delayMs : delayMs * (1 - jitter + 2 * jitter * Math.random());
  }

  /** Waits for the next delay, or until `signal` aborts. Resolves to whether the whole delay passed. */
  pause(signal?: AbortSignal): Promise<boolean> {
    return pause(this.next(), signal);
  }

  /** It went well: the next delay is the first again. */
  reset(): void {
    this.#nextMs = this.#limits.firstMs;
  }
}
