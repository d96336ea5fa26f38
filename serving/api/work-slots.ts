import { GridError } from '../../grid/errors.ts';

/** Bounds how many requests are worked on at once; some more wait their turn, the others are told to come again. */
export class WorkSlots {
  readonly #slots: number;
  readonly #waiting: (() => void)[] = [];
  readonly #mostWaiting: number;
  #busy = 0;

  constructor(slots: number, mostWaiting: number) {
    this.#slots = slots;
    this.#mostWaiting = mostWaiting;
  }

  get busy(): number {
    return this.#busy;
  }

  /** @throws GridError `too-many-requests` when too many wait already; and what `work` throws */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#slots) {
      if (this.#waiting.length >= this.#mostWaiting) {
        throw new GridError(
          'too-many-requests',
          `Taking the request: ${this.#busy} are being answered and ${this.#waiting.length} wait. Send it again later.`,
        );
      }
      // Whoever is done gives its slot on.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#busy++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  }
}
