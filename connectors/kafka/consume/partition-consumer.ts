import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from '../../../runtime/logger.ts';
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
/** Partitions whose batches are under way at once: their store calls overlap, their memory stays bounded. */
const CONCURRENT_PARTITIONS = 16;

/**
 * Reads topics as a member of a consumer group and drives one {@link PartitionProcessor} for each partition it owns.
 * Every quirk of kafkajs that has to do with reading is kept in here.
 *
 * A partition's life, kept by {@link OwnedPartition}:
 *
 *     opening ──open() resolved, seek──► reading ──process() or fail()──► waiting ──delay──► opening
 *        │ open() failed ─────────────────────────────────────────────────────▲
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
 */
export class PartitionConsumer {
  readonly #options: PartitionConsumerOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #partitions = new Map<string, OwnedPartition>();
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #starting: Promise<void> = Promise.resolve();
  #joined = false;

  constructor(options: PartitionConsumerOptions) {
    this.#options = options;
    this.#logger = options.logger;
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
        restartOnFailure: () => Promise.resolve(true),
      },
    });
    this.#admin = options.kafka.admin({ retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 5 } });
  }

  /** Begins to join the group, in the background: Kafka being down, or a topic that is not there yet, is waited for. */
  start(): void {
    this.#consumer.on('consumer.group_join', ({ payload }) => {
      this.#joined = true;
      this.#assigned(payload.memberAssignment);
    });
    this.#consumer.on('consumer.rebalancing', () => {
      this.#revokeAll();
    });
    this.#consumer.on('consumer.crash', ({ payload }) => {
      this.#logger.warn({ err: payload.error, restart: payload.restart }, 'the consumer restarts');
      this.#revokeAll();
    });
    this.#starting = this.#keepStarting();
  }

  async #keepStarting(): Promise<void> {
    const { maxRetryDelayMs, topics } = this.#options;
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt++) {
      try {
        await this.#admin.connect();
        await this.#consumer.connect();
        await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
        await this.#consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
          eachBatch: (payload) => this.#eachBatch(payload),
        });
        return;
      } catch (error) {
        const delayMs = Math.min(maxRetryDelayMs, FIRST_RETRY_DELAY_MS * 2 ** Math.min(attempt, 20));
        this.#logger.warn(
          { err: error, attempt: attempt + 1, delayMs },
          `Kafka cannot be read yet (topics ${topics.join(', ')}); trying again`,
        );
        await delay(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      }
    }
  }

  #revokeAll(): void {
    this.#joined = false;
    for (const owned of this.#partitions.values()) void owned.close({ kind: 'revoked' });
  }

  /**
   * Stops reading, lets each processor keep what it can within `timeoutMs`, and leaves the group, so that another member
   * takes over at once. Never throws.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    const closing = Promise.all([...this.#partitions.values()].map((owned) => owned.close({ kind: 'stopped' })));
    const startedMs = performance.now();
    await within(timeoutMs, closing);
    await within(timeoutMs, this.#starting);
    const leftMs = Math.max(LEAVE_GROUP_MS, timeoutMs - (performance.now() - startedMs));
    await within(leftMs, Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()]));
  }

  /** What keeps this member from reading all that it should, in sentences; empty when all is well. */
  problems(): string[] {
    if (!this.#joined) return ['not in its consumer group'];
    return this.status().flatMap(({ topic, partition, state, lastError }) =>
      state === 'waiting' || (state === 'opening' && lastError !== undefined)
        ? [`${topic}/${partition} waits: ${lastError?.code ?? 'unknown'}`]
        : [],
    );
  }

  status(): PartitionStatus[] {
    return [...this.#partitions.values()].map((owned) => owned.status());
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
    try {
      const lastOffset = await owned.process(batch);
      if (lastOffset !== undefined) payload.resolveOffset(lastOffset);
    } finally {
      clearInterval(beating);
    }
    await payload.heartbeat();
  }
}

function key(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** Waits for `work`, at most `timeoutMs`. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
