import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { abortionOf } from '../../../runtime/waiting/abortion.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import { orLate, within } from '../../../runtime/waiting/time-limit.ts';
import { groupFailure } from './group-failure.ts';
import {
  FIRST_RETRY_DELAY_MS,
  OwnedPartition,
  type OwnedPartitionOptions,
  type PartitionStatus,
} from './owned-partition.ts';

export interface PartitionConsumerOptions extends OwnedPartitionOptions {
  readonly kafka: Kafka;
  readonly topics: readonly string[];
  /** How long the group waits for a member that is gone, milliseconds. */
  readonly sessionTimeoutMs: number;
  readonly maxBytesPerPartition: number;
  /** Bytes that a fetch brings of all partitions together: about what reading holds in memory at a time. */
  readonly maxBytesPerFetch: number;
}

/** Fetches wait this long for data, so an idle partition costs two requests a second. */
const FETCH_WAIT_MS = 500;
/** What leaving the group gets at least, also when the processors took all the time. */
const LEAVE_GROUP_MS = 500;
/** How often the ends of partitions that are not fetched from are asked for, so that their lag is true. */
const ENDS_INTERVAL_MS = 5_000;
/** A member that has fetched nothing for so long, though nothing held it up, is told of as not reading. */
const SILENT_MS = 30_000;
/** Partitions whose batches are under way at once: their store calls overlap, their memory stays bounded. */
const CONCURRENT_PARTITIONS = 16;

/**
 * Reads topics as a member of a consumer group and drives one {@link PartitionProcessor} for each partition it owns.
 * Every quirk of kafkajs that has to do with reading is kept in here.
 *
 * A partition's life, kept by {@link OwnedPartition}:
 *
 *     opening ──open() resolved, seek──► reading ──process() or fail()──► waiting ──delay──► opening
 *        │ open() failed                 │    ▲                              ▲
 *        │                   undecodable ▼    │ delay                        │
 *        │                              stalled                              │
 *        └───────────────────────────────────────────────────────────────────┘
 *     any state ──rebalance, stop──► closed
 *
 * - kafkajs announces a new assignment (`GROUP_JOIN`) before it fetches: all partitions are paused there, and resumed one
 *   by one when their processor has said where to start. A partition that is not `reading` is never handed a batch.
 * - One fetch loop serves all partitions and waits for the slowest handler, so a handler never waits for a store that
 *   is down: it throws, its partition is paused, the others go on.
 * - Every assignment, also of a partition that this member had before, opens a new processor: whether another member
 *   owned it in between cannot be told from here.
 * - kafkajs answers an offset that retention has removed by silently starting elsewhere. The position is
 *   compared with the partition's first offset before, and a loss is reported.
 * - kafkajs ends a consumer for good after some failures, and restarts it by itself after others. Here it ends after all of them, and is
 *   joined again with growing delays until it succeeds: what Kafka refuses now, an operator may put right later.
 */
export class PartitionConsumer {
  readonly #options: PartitionConsumerOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #partitions = new Map<string, OwnedPartition>();
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #backoff: Backoff;
  #running: Promise<void> = Promise.resolve();
  #member = false;
  /** Why it is not a member of its group; undefined while nothing has gone wrong. */
  #outside: GridError | undefined;
  #onCrash: (error: Error) => void = () => undefined;
  #batchesUnderWay = 0;
  #fetchedAtMs = performance.now();
  #endsTimer: NodeJS.Timeout | undefined;

  constructor(options: PartitionConsumerOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#backoff = new Backoff({ firstMs: FIRST_RETRY_DELAY_MS, longestMs: options.maxRetryDelayMs, jitter: 0.2 });
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      // A rejoin after SIGKILL takes the shorter of both time-outs.
      rebalanceTimeout: options.sessionTimeoutMs,
      heartbeatInterval: Math.max(200, Math.floor(options.sessionTimeoutMs / 5)),
      maxBytesPerPartition: options.maxBytesPerPartition,
      maxBytes: options.maxBytesPerFetch,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      // Aborted transactions are not readings.
      readUncommitted: false,
      allowAutoTopicCreation: false,
      retry: {
        initialRetryTime: 200,
        maxRetryTime: 5_000,
        retries: 1_000_000,
        restartOnFailure: () => Promise.resolve(false),
      },
    });
    this.#admin = options.kafka.admin({ retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 5 } });
  }

  /** Begins to join the group, in the background: Kafka being down, or a topic that is not there yet, is waited for. */
  start(): void {
    this.#consumer.on('consumer.group_join', ({ payload }) => {
      this.#member = true;
      this.#fetchedAtMs = performance.now();
      if (this.#outside !== undefined) this.#logger.info('a member of the group again');
      this.#outside = undefined;
      this.#backoff.reset();
      this.#assigned(payload.memberAssignment);
    });
    this.#consumer.on('consumer.fetch', () => {
      this.#fetchedAtMs = performance.now();
    });
    this.#consumer.on('consumer.rebalancing', () => {
      this.#revokeAll();
    });
    this.#consumer.on('consumer.crash', ({ payload }) => {
      this.#revokeAll();
      this.#onCrash(payload.error);
    });
    this.#endsTimer = setInterval(() => void this.#askForEnds(), ENDS_INTERVAL_MS);
    this.#endsTimer.unref();
    this.#running = this.#keepRunning();
  }

  /** Joins, and joins again whenever kafkajs has ended the consumer, until it is told to stop. */
  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const crashed = new Promise<Error>((resolve) => (this.#onCrash = resolve));
      const stopped = abortionOf(signal);
      const failure = await Promise.race([this.#join().then((failed) => failed ?? crashed), stopped.happened]);
      stopped.forget();
      if (failure === undefined || this.#stopping.signal.aborted) return;
      const delayMs = Math.round(this.#backoff.next());
      const error = groupFailure(this.#options.groupId, this.#options.topics, failure);
      this.#outside = error;
      this.#logger.warn({ code: error.code, delayMs, err: failure }, error.message);
      await pause(delayMs, signal);
    }
  }

  /** Resolves once it is begun; kafkajs tells of what comes later, a refusal to join included, by the event of a crash. */
  async #join(): Promise<Error | undefined> {
    try {
      await this.#admin.connect();
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #revokeAll(): void {
    this.#member = false;
    for (const owned of this.#partitions.values()) void owned.close({ kind: 'revoked' });
  }

  /**
   * Stops reading, lets each processor keep what it can within `timeoutMs`, and leaves the group, so that another member
   * takes over at once. Never throws.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#endsTimer);
    const closing = Promise.all([...this.#partitions.values()].map((owned) => owned.close({ kind: 'stopped' })));
    const startedMs = performance.now();
    await orLate(timeoutMs, closing);
    await orLate(timeoutMs, this.#running);
    const leftMs = Math.max(LEAVE_GROUP_MS, timeoutMs - (performance.now() - startedMs));
    await orLate(leftMs, Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()]));
  }

  /** What keeps this member from reading all that it should, in sentences; empty when all is well. */
  problems(): string[] {
    if (!this.#member) {
      return [`not in its consumer group${this.#outside === undefined ? '' : `: ${this.#outside.message}`}`];
    }
    const silentMs = performance.now() - this.#fetchedAtMs;
    const silence =
      silentMs > SILENT_MS && this.#batchesUnderWay === 0
        ? [`Kafka has answered no fetch for ${Math.round(silentMs / 1_000)} s`]
        : [];
    const waiting = this.status().flatMap(({ topic, partition, state, lastError }) =>
      state === 'waiting' || state === 'stalled' || (state === 'opening' && lastError !== undefined)
        ? [`${topic}/${partition} waits: ${lastError?.code ?? 'unknown'}`]
        : [],
    );
    return [...silence, ...waiting];
  }

  /** Whether it is a member of its group. */
  get isMember(): boolean {
    return this.#member;
  }

  /** The partitions that it owns; of those that it has lost it knows nothing any more. */
  status(): PartitionStatus[] {
    return [...this.#partitions.values()].filter((owned) => !owned.isClosed).map((owned) => owned.status());
  }

  #assigned(assignment: Readonly<Record<string, number[]>>): void {
    const before = [...this.#partitions.values()];
    const closed = Promise.all(before.map((owned) => owned.close({ kind: 'revoked' })));
    this.#partitions.clear();
    if (this.#stopping.signal.aborted) return;
    const entries = Object.entries(assignment);
    this.#consumer.pause(entries.map(([topic, partitions]) => ({ topic, partitions })));
    this.#logger.info({ assignment }, 'partitions assigned');
    for (const [topic, partitions] of entries) {
      for (const partition of partitions) {
        const owned = new OwnedPartition(topic, partition, this.#options, this.#consumer, this.#admin);
        this.#partitions.set(key(topic, partition), owned);
        // What this member published under the old ownership must be settled before it asks where to start.
        owned.openAfter(closed);
      }
    }
  }

  /** Fetches bring the end of a partition along; of one that is not fetched from, it has to be asked for. */
  async #askForEnds(): Promise<void> {
    const paused = [...this.#partitions.values()].filter((owned) => !owned.isClosed && !owned.isReading);
    for (const topic of new Set(paused.map((owned) => owned.topic))) {
      try {
        const ends = await within(ENDS_INTERVAL_MS, this.#admin.fetchTopicOffsets(topic));
        for (const { partition, high } of ends) {
          for (const owned of paused) if (owned.topic === topic) owned.endsAt(partition, Number(high));
        }
      } catch {
        // Kafka does not answer either; there is a next time.
      }
    }
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    if (this.#stopping.signal.aborted) return;
    const owned = this.#partitions.get(key(batch.topic, batch.partition));
    if (owned === undefined) return;
    const beating = setInterval(
      () => {
        // A failed heartbeat shows at the one below; here it must only not end the process.
        payload.heartbeat().catch(() => undefined);
      },
      Math.floor(this.#options.sessionTimeoutMs / 4),
    );
    this.#batchesUnderWay++;
    try {
      const lastOffset = await owned.process(batch);
      if (lastOffset !== undefined) payload.resolveOffset(lastOffset);
    } finally {
      this.#batchesUnderWay--;
      clearInterval(beating);
    }
    await payload.heartbeat();
  }
}

function key(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
