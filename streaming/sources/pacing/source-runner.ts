import { setTimeout as sleep } from 'node:timers/promises';
import { asGridError, GridError } from '../../../grid/errors.ts';
import type { RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { addCounts, type PacedSource, type SourceBatch } from './paced-source.ts';
import type { PacedClock } from './paced-clock.ts';

/** Told of what happens; for metrics. */
export interface RunnerObserver {
  acknowledged(source: string, counts: SourceBatch['counts']): void;
  retried(source: string, code: string): void;
  lag(source: string, lagMs: number): void;
}

export interface SourceRunnerOptions {
  readonly source: PacedSource;
  readonly producer: RecordProducer;
  readonly clock: PacedClock;
  readonly logger: Logger;
  readonly observer?: RunnerObserver;
  /** Records that are taken at once; larger batches cost latency and memory, smaller ones throughput. */
  readonly batchRecords?: number;
}

/** What a run has done. Counts are of records that Kafka acknowledged, so they are what lies in the topics. */
export interface RunReport {
  readonly source: string;
  readonly outcome: 'finished' | 'stopped' | 'failed';
  readonly acknowledged: Readonly<Record<string, number>>;
  /** Records that were handed to Kafka and of which it is not known whether they lie there. */
  readonly unacknowledged: number;
  /** Batches that were sent again after an error: each of their records may lie in the topic twice. */
  readonly resentBatches: number;
  readonly durationMs: number;
  readonly recordsPerSecond: number;
}

const DEFAULT_BATCH_RECORDS = 2_000;
/** Batches under way at once, beside the bound in bytes that the producer keeps. */
const BATCHES_UNDER_WAY = 8;
/** Looks at the clock are at least this far apart, so that slow sources are sent in small batches, not one by one. */
const SHORTEST_WAIT_MS = 20;
/** And at most this far, so that a clock that is set forward is noticed. */
const LONGEST_WAIT_MS = 1_000;
const FIRST_RETRY_DELAY_MS = 200;
const LONGEST_RETRY_DELAY_MS = 5_000;

type Mode = 'idle' | 'running' | 'draining' | 'ended';
const TRANSITIONS: Readonly<Record<Mode, readonly Mode[]>> = {
  idle: ['running', 'ended'],
  running: ['draining'],
  draining: ['ended'],
  ended: [],
};

/**
 * Sends what a source has, at the pace of a clock and no faster than Kafka acknowledges it.
 *
 *     idle ──run()──► running ──source finished, stop() or a failure──► draining ──all acknowledged, or given up──► ended
 *
 * - A batch that Kafka did not acknowledge is sent again, the very same bytes, until it is acknowledged or the
 *   runner is stopped: at least once. An error that no repetition mends ends the run as failed.
 * - Batches overlap; a source learns of acknowledgements in the order of its batches.
 */
export class SourceRunner {
  readonly #options: SourceRunnerOptions;
  readonly #stopping = new AbortController();
  /** Batches under way, oldest first. */
  readonly #underWay: { readonly batch: SourceBatch; acknowledged: boolean }[] = [];
  readonly #settling = new Set<Promise<void>>();
  readonly #acknowledged: Record<string, number> = { total: 0 };
  #mode: Mode = 'idle';
  #resentBatches = 0;
  #failure: GridError | undefined;
  #drainDeadline: Promise<void> | undefined;

  constructor(options: SourceRunnerOptions) {
    this.#options = options;
  }

  /** Runs until the source is finished or {@link stop} is called; resolves to the report, also after a failure. */
  async run(): Promise<{ readonly report: RunReport; readonly failure: GridError | undefined }> {
    const startedMs = performance.now();
    this.#setMode('running');
    let finished = false;
    try {
      finished = await this.#sendAll();
    } catch (error) {
      this.#fail(error);
    }
    this.#setMode('draining');
    await this.#untilStopped(Promise.all(this.#settling));
    if (this.#drainDeadline !== undefined) await Promise.race([Promise.all(this.#settling), this.#drainDeadline]);
    try {
      await this.#options.source.close();
    } catch (error) {
      this.#fail(error);
    }
    this.#setMode('ended');
    return { report: this.#report(finished, performance.now() - startedMs), failure: this.#failure };
  }

  /** Takes nothing more from the source and waits at most `timeoutMs` for what is under way. */
  stop(timeoutMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#drainDeadline = sleep(timeoutMs, undefined, { ref: false });
    this.#stopping.abort();
  }

  /** @returns whether the source has come to its end. */
  async #sendAll(): Promise<boolean> {
    const { source, clock, observer, producer } = this.#options;
    const maxRecords = this.#options.batchRecords ?? DEFAULT_BATCH_RECORDS;
    let nextDueMs: number | undefined;
    while (!this.#isStopping() && this.#failure === undefined) {
      const taken = await source.take(clock.position(nextDueMs), maxRecords);
      nextDueMs = undefined;
      observer?.lag(source.name, clock.lagMs());
      switch (taken.kind) {
        case 'finished':
          return true;
        case 'not-yet':
          nextDueMs = taken.dueMs;
          await this.#pause(Math.min(Math.max(clock.waitMs(taken.dueMs), SHORTEST_WAIT_MS), LONGEST_WAIT_MS));
          break;
        case 'batch':
          while (this.#settling.size >= BATCHES_UNDER_WAY && !this.#isStopping()) {
            await this.#untilStopped(Promise.race(this.#settling));
          }
          await this.#untilStopped(producer.ready(taken.batch.bytes));
          // What was taken and not sent is taken again after a restart, as far as the source remembers.
          if (!this.#isStopping()) this.#dispatch(taken.batch);
      }
    }
    return false;
  }

  #dispatch(batch: SourceBatch): void {
    const entry = { batch, acknowledged: false };
    this.#underWay.push(entry);
    const settling = this.#sendUntilAcknowledged(batch)
      .then(() => {
        entry.acknowledged = true;
        this.#settleOldest();
      })
      .catch((error: unknown) => {
        this.#fail(error);
      })
      .finally(() => this.#settling.delete(settling));
    this.#settling.add(settling);
  }

  #settleOldest(): void {
    for (let oldest = this.#underWay[0]; oldest?.acknowledged === true; oldest = this.#underWay[0]) {
      this.#underWay.shift();
      addCounts(this.#acknowledged, oldest.batch.counts);
      this.#options.observer?.acknowledged(this.#options.source.name, oldest.batch.counts);
      oldest.batch.onAcknowledged?.();
    }
  }

  async #sendUntilAcknowledged(batch: SourceBatch): Promise<void> {
    for (const { topic, records } of batch.sends) {
      for (let delayMs = FIRST_RETRY_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_RETRY_DELAY_MS)) {
        try {
          await this.#options.producer.send(topic, records);
          break;
        } catch (error) {
          await this.#beforeRetry(asGridError(error, `Sending ${records.length} records to ${topic}`), batch, delayMs);
        }
      }
    }
  }

  async #beforeRetry(error: GridError, batch: SourceBatch, delayMs: number): Promise<void> {
    const { source, producer, logger, observer } = this.#options;
    if (!error.retryable || error.code === 'shutting-down' || this.#isStopping() || this.#failure !== undefined)
      throw error;
    observer?.retried(source.name, error.code);
    if (error.code === 'producer-queue-full') {
      // Nothing was queued, so this is no repetition.
      await this.#untilStopped(producer.ready(batch.bytes));
      return;
    }
    this.#resentBatches += 1;
    logger.warn({ source: source.name, code: error.code, delayMs, err: error }, 'sending a batch again after a pause');
    await this.#pause(delayMs);
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #fail(error: unknown): void {
    const known = asGridError(error, `Running the source ${this.#options.source.name}`);
    // What was still under way when the process was told to stop is told by the report, and is no failure.
    if (this.#isStopping() && known.retryable) return;
    this.#failure ??= known;
  }

  #report(finished: boolean, durationMs: number): RunReport {
    const total = this.#acknowledged['total'] ?? 0;
    const unacknowledged = this.#underWay.reduce((sum, { batch }) => sum + batch.counts.total, 0);
    return {
      source: this.#options.source.name,
      outcome: this.#failure !== undefined ? 'failed' : finished && unacknowledged === 0 ? 'finished' : 'stopped',
      acknowledged: { ...this.#acknowledged },
      unacknowledged,
      resentBatches: this.#resentBatches,
      durationMs: Math.round(durationMs),
      recordsPerSecond: Math.round((total / durationMs) * 1_000),
    };
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /**
   * `promise`, or the stop if that is earlier. Not a race with one lasting promise: that would keep a reaction for every call
   * until the process ends.
   */
  #untilStopped(promise: Promise<unknown>): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onStop = (): void => {
        resolve();
      };
      signal.addEventListener('abort', onStop, { once: true });
      promise
        .then(onStop, (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
        })
        .finally(() => {
          signal.removeEventListener('abort', onStop);
        });
    });
  }

  #setMode(mode: Mode): void {
    if (!TRANSITIONS[this.#mode].includes(mode)) {
      throw new GridError(
        'defect',
        `Running the source ${this.#options.source.name}: ${mode} after ${this.#mode}. This is a defect of the program; please report it.`,
      );
    }
    this.#mode = mode;
  }
}
