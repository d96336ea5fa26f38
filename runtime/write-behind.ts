/**
 * Hands things on one after the other, while whoever makes them goes on with the next. At most `limit` wait or are being
 * written, if its promises are heeded. After a failure nothing more is written.
 */
export class WriteBehind<T> {
  readonly #write: (item: T) => Promise<void>;
  readonly #limit: number;
  /** Under way and waiting, the oldest first; one that failed stays. */
  readonly #writes: Promise<void>[] = [];

  constructor(write: (item: T) => Promise<void>, limit: number) {
    this.#write = write;
    this.#limit = limit;
  }

  /** Takes an item; the promise, which comes only when there is no room for another one, is to be waited for. */
  add(item: T): Promise<void> | undefined {
    const before = this.#writes.at(-1) ?? Promise.resolve();
    const write = before.then(async () => {
      await this.#write(item);
      void this.#writes.shift();
    });
    // Whoever waits is told.
    write.catch(() => undefined);
    this.#writes.push(write);
    return this.room();
  }

  /** Settles when there is room for another item; undefined when there is. Rejects when a write has failed. */
  room(): Promise<void> | undefined {
    return this.#writes[this.#writes.length - this.#limit];
  }

  /**
   * Waits for whoever adds items. When that fails, waits too until nothing is being written any more; but not once `signal`
   * is aborted, since then it may be the writing that hangs.
   */
  async while<R>(adding: Promise<R>, signal: AbortSignal): Promise<R> {
    try {
      return await adding;
    } catch (error) {
      if (!signal.aborted) await this.end().catch(() => undefined);
      throw error;
    }
  }

  /** Resolves when all is written. Rejects with what a write failed with. */
  async end(): Promise<void> {
    await this.#writes.at(-1);
  }
}
