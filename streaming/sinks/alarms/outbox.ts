import type { AlarmEventRow } from '../../../connectors/postgres/serving/alarm-statements.ts';
import type { AlarmPartition, AlarmStore, OutboxTarget } from '../../../connectors/postgres/serving/alarm-store.ts';
import { asGridError, type GridError } from '../../../grid/errors.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';

export interface OutboxOptions {
  readonly store: Pick<AlarmStore, 'pending' | 'settle'>;
  readonly partition: AlarmPartition;
  readonly to: OutboxTarget;
  /** Changes that are read, held and settled at once. */
  readonly page: number;
  /**
   * Delivers changes in their order.
   *
   * @returns how many of them, from the first on, are settled; the next one is tried again later when it is not all
   */
  readonly deliver: (events: readonly AlarmEventRow[], signal: AbortSignal) => Promise<number>;
  readonly longestPauseMs: number;
  readonly onTrouble: (trouble: GridError | undefined) => void;
}

/** What others write, such as acknowledgements, is looked for so often. */
const LOOK_EVERY_MS = 2_000;
const FIRST_PAUSE_MS = 500;

/**
 * Delivers the changes of a partition's alarms from the table that holds them until they are delivered: at least once, those of an alarm in their order. Nobody waits for
 * it; what cannot be delivered waits in the table.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #wake = new AbortController();
  #oldestMs: number | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** There is something new. */
  poke(): void {
    this.#wake.abort();
  }

  /** Since when the oldest change waits; undefined when none does. */
  get oldestMs(): number | undefined {
    return this.#oldestMs;
  }

  /** Ends within the time; what is not delivered the next owner delivers. Never throws. */
  async close(timeoutMs: number): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await orLate(timeoutMs, this.#running);
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff({ firstMs: FIRST_PAUSE_MS, longestMs: this.#options.longestPauseMs, jitter: 0.2 });
    while (!signal.aborted) {
      try {
        const wake = new AbortController();
        this.#wake = wake;
        const { isWhole, isMore, isMoved } = await this.#turn(signal);
        if (!isWhole) {
          if (isMoved) backoff.reset();
          await backoff.pause(signal);
          continue;
        }
        backoff.reset();
        this.#options.onTrouble(undefined);
        if (!isMore) await pause(LOOK_EVERY_MS, wake.signal);
      } catch (error) {
        this.#options.onTrouble(asGridError(error, `Delivering alarms of ${this.#options.partition.topic}`));
        await backoff.pause(signal);
      }
    }
  }

  async #turn(signal: AbortSignal): Promise<{ isWhole: boolean; isMore: boolean; isMoved: boolean }> {
    const { store, partition, to, deliver, page } = this.#options;
    const events = await store.pending(partition, to, page);
    this.#oldestMs = events[0]?.recorded_ms;
    if (events.length === 0) return { isWhole: true, isMore: false, isMoved: false };
    const settled = await deliver(events, signal);
    if (settled > 0) {
      await store.settle(
        to,
        events.slice(0, settled).map(({ event_id: id }) => id),
      );
      this.#oldestMs = events[settled]?.recorded_ms;
    }
    return { isWhole: settled === events.length, isMore: events.length === page, isMoved: settled > 0 };
  }
}
