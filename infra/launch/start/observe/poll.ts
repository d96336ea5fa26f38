import { setTimeout as sleep } from 'node:timers/promises';

/** What came of asking so far. */
export interface Observed<T> {
  /** The last answer; undefined before the first. */
  readonly value: T | undefined;
  /** Why the last try failed; undefined when it did not. */
  readonly failure: string | undefined;
}

/** An answer that took long is waited for so many times as long before the next, so that watching does not slow a busy store down. */
const PAUSES_PER_ANSWER = 4;
const LONGEST_PAUSE_MS = 15_000;

/** Asks something again and again, one try at a time, and keeps the last answer. */
export class Poll<T> {
  readonly #ask: () => Promise<T>;
  readonly #everyMs: number;
  readonly #stopping = new AbortController();
  #value: T | undefined;
  #failure: string | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(everyMs: number, ask: () => Promise<T>) {
    this.#everyMs = everyMs;
    this.#ask = ask;
  }

  get observed(): Observed<T> {
    return { value: this.#value, failure: this.#failure };
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Asks once, now. Never rejects. */
  async once(): Promise<Observed<T>> {
    try {
      this.#value = await this.#ask();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
    return this.observed;
  }

  /** Asks no more; resolves when the try under way is over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const startedMs = performance.now();
      const { failure } = await this.once();
      const tookMs = performance.now() - startedMs;
      // A failure is mostly waiting, and what it waits for may be there any moment.
      const restMs = failure === undefined ? tookMs * PAUSES_PER_ANSWER : 0;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(this.#everyMs - tookMs, restMs, this.#everyMs / 4));
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
