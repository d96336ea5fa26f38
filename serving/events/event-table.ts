/** What happened, and to what: of events of one key only the newest matters. */
export interface LiveEvent {
  readonly kind: 'reading' | 'window' | 'alarm';
  /** Names what it is the newest of. */
  readonly key: string;
  readonly sensorId: string;
  /** JSON, on one line. */
  readonly data: string;
  /** One with a lower rank than that of what is held of its key is not newer, though it came later. */
  readonly rank: number;
}

export interface NumberedEvent extends LiveEvent {
  readonly number: number;
}

/**
 * The newest event of each key, in the order in which they came: what a client has missed since an event, with nothing in it twice. It holds so many
 * keys at most; beyond, the oldest are forgotten, and whoever was not that far has to begin anew.
 */
export class EventTable {
  readonly #most: number;
  readonly #events = new Map<string, NumberedEvent>();
  #last = 0;
  /** Number of the newest event that was forgotten. */
  #forgotten = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Number of the newest event. */
  get last(): number {
    return this.#last;
  }

  get size(): number {
    return this.#events.size;
  }

  /** @returns undefined when something newer of its key is held */
  put(event: LiveEvent): NumberedEvent | undefined {
    if ((this.#events.get(event.key)?.rank ?? -Infinity) > event.rank) return undefined;
    const numbered = { ...event, number: ++this.#last };
    // Put in again at the end: the map is in the order of numbers.
    this.#events.delete(event.key);
    this.#events.set(event.key, numbered);
    if (this.#events.size > this.#most) {
      const [oldest] = this.#events.values();
      if (oldest !== undefined) {
        this.#events.delete(oldest.key);
        this.#forgotten = oldest.number;
      }
    }
    return numbered;
  }

  /** Whether everything after an event is still here. */
  reachesBackTo(number: number): boolean {
    return number >= this.#forgotten && number <= this.#last;
  }

  /**
   * Events after a number, oldest first, at most `most` that `isWanted`; and the number up to which that is all.
   */
  after(
    number: number,
    isWanted: (event: NumberedEvent) => boolean,
    most: number,
  ): { readonly events: readonly NumberedEvent[]; readonly upTo: number } {
    const events: NumberedEvent[] = [];
    for (const event of this.#events.values()) {
      if (event.number <= number || !isWanted(event)) continue;
      events.push(event);
      if (events.length === most) return { events, upTo: event.number };
    }
    return { events, upTo: this.#last };
  }
}
