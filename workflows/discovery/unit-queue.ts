import type { Lists, UnitOfWork } from './contract.ts';

/** Lists of which the first have been taken. */
export interface QueuedLists extends Lists {
  readonly next: number;
  readonly again: boolean;
}

/** Units of work in order, held as the places of their lists: small however many there are. */
export class UnitQueue {
  #lists: QueuedLists[];

  constructor(lists: readonly QueuedLists[]) {
    this.#lists = [...lists];
  }

  get count(): number {
    return this.#lists.reduce((sum, { next, count }) => sum + count - next, 0);
  }

  /** @param again look again at what they name, whatever is known of it */
  add(lists: Lists, again = false): void {
    if (lists.count > 0) this.#lists.push({ ...lists, next: 0, again });
  }

  /** @throws RangeError when there is none */
  take(): UnitOfWork {
    const [first] = this.#lists;
    if (first === undefined) throw new RangeError('no unit of work waits');
    const { directory, name, next, count, again } = first;
    if (next + 1 < count) this.#lists[0] = { ...first, next: next + 1 };
    else this.#lists.shift();
    return { directory, index: next, name, ...(again ? { again } : {}) };
  }

  clear(): void {
    this.#lists = [];
  }

  lists(): readonly QueuedLists[] {
    return this.#lists;
  }
}
