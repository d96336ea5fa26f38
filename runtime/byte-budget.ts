interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * Counts bytes against a bound. One share that is larger than the whole bound is let in when nothing else is: it could
 * never be otherwise.
 */
export class ByteBudget {
  readonly limitBytes: number;
  readonly #waiters: Waiter[] = [];
  readonly #onChange: (usedBytes: number) => void;
  #usedBytes = 0;
  #closed = false;

  constructor(limitBytes: number, onChange: (usedBytes: number) => void = () => undefined) {
    this.limitBytes = limitBytes;
    this.#onChange = onChange;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes a share if it fits; says whether it did. */
  tryTake(bytes: number): boolean {
    if (!this.#fits(bytes)) return false;
    this.#usedBytes += bytes;
    this.#onChange(this.#usedBytes);
    return true;
  }

  give(bytes: number): void {
    if (bytes === 0) return;
    this.#usedBytes -= bytes;
    this.#onChange(this.#usedBytes);
    this.#admit();
  }

  /** Resolves when about `bytes` would fit, in the order of asking; at once after {@link close}. */
  room(bytes: number): Promise<void> {
    if (this.#closed || (this.#waiters.length === 0 && this.#fits(bytes))) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ bytes, resolve }));
  }

  /** Lets all who wait go on; they find out by themselves that it is over. */
  close(): void {
    this.#closed = true;
    this.#admit();
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.limitBytes;
  }

  #admit(): void {
    let promisedBytes = 0;
    for (;;) {
      const next = this.#waiters[0];
      if (next === undefined || (!this.#closed && !this.#fits(promisedBytes + next.bytes))) return;
      promisedBytes += next.bytes;
      this.#waiters.shift();
      next.resolve();
    }
  }
}
