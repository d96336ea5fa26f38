import type { Admin, Batch, Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { asGridError, GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { CloseReason, ConsumedBatch, ConsumedRecord, PartitionContext, PartitionProcessor } from './consumed.ts';

/** Tells how reading goes; for metrics. */
export interface ConsumerObserver {
  batchProcessed(batch: ConsumedBatch, durationMs: number): void;
  partitionFailed(topic: string, partition: number, error: GridError): void;
  recordsExpired(topic: string, partition: number, count: number): void;
}

export interface PartitionConsumerOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Makes the processor of a partition, anew for each ownership. */
  readonly createProcessor: (context: PartitionContext) => PartitionProcessor;
  readonly logger: Logger;
  readonly observer?: ConsumerObserver;
  /** How long the group waits for a member that is gone, milliseconds. */
  readonly sessionTimeoutMs: number;
  readonly maxBytesPerPartition: number;
  /** Longest pause of a partition between two tries, milliseconds; it doubles from 250 ms on. */
  readonly maxRetryDelayMs: number;
}

/** What a partition is doing; see {@link PartitionConsumer}. */
export type PartitionState = 'opening' | 'reading' | 'waiting' | 'closed';

export interface PartitionStatus {
  readonly topic: string;
  readonly partition: number;
  readonly state: PartitionState;
  /** Next offset to be processed; undefined before the partition was opened. */
  readonly position: number | undefined;
  readonly lag: number | undefined;
  readonly lastError: GridError | undefined;
}

const FIRST_RETRY_DELAY_MS = 250;
/** Fetches wait this long for data, so an idle partition costs two requests a second. */
const FETCH_WAIT_MS = 500;
/** Partitions whose batches are under way at once: their store calls overlap, their memory stays bounded. */
const CONCURRENT_PARTITIONS = 16;

/**
 * Reads topics as a member of a consumer group and drives one {@link PartitionProcessor} for each partition it owns.
 * Every quirk of kafkajs that has to do with reading is kept in here.
 *
 * A partition's life:
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
  #stopping = false;
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

  /** Joins the group; resolves once reading has been started. Kafka being down is waited for. */
  async start(): Promise<void> {
    this.#consumer.on('consumer.group_join', ({ payload }) => {
      this.#joined = true;
      this.#assigned(payload.memberAssignment);
    });
    this.#consumer.on('consumer.rebalancing', () => {
      this.#joined = false;
      for (const owned of this.#partitions.values()) void owned.close({ kind: 'revoked' });
    });
    this.#consumer.on('consumer.crash', ({ payload }) => {
      this.#joined = false;
      this.#logger.warn({ err: payload.error, restart: payload.restart }, 'consumer restarts');
      for (const owned of this.#partitions.values()) void owned.close({ kind: 'revoked' });
    });
    await this.#admin.connect();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT_PARTITIONS,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  /**
   * Stops reading, lets each processor keep what it can within `timeoutMs`, and leaves the group, so that another member
   * takes over at once. Never throws.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    const closing = Promise.all([...this.#partitions.values()].map((owned) => owned.close({ kind: 'stopped' })));
    await within(timeoutMs, closing);
    await within(timeoutMs, Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()]));
  }

  /** Whether this member is in the group and every partition it owns is being read. */
  get healthy(): boolean {
    return this.#joined && [...this.#partitions.values()].every((owned) => owned.state !== 'waiting');
  }

  status(): PartitionStatus[] {
    return [...this.#partitions.values()].map((owned) => owned.status());
  }

  #assigned(assignment: Readonly<Record<string, number[]>>): void {
    const before = [...this.#partitions.values()];
    const closed = Promise.all(before.map((owned) => owned.close({ kind: 'revoked' })));
    this.#partitions.clear();
    if (this.#stopping) return;
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
    if (this.#stopping) return;
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

/** One partition during one ownership. Transitions as drawn at {@link PartitionConsumer}. */
class OwnedPartition {
  readonly #topic: string;
  readonly #partition: number;
  readonly #options: PartitionConsumerOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #logger: Logger;
  #state: PartitionState = 'opening';
  #processor: PartitionProcessor | undefined;
  #processing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #position: number | undefined;
  #highWatermark: number | undefined;
  #expiredOffsets = 0;
  #failures = 0;
  #lastError: GridError | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(topic: string, partition: number, options: PartitionConsumerOptions, consumer: Consumer, admin: Admin) {
    this.#topic = topic;
    this.#partition = partition;
    this.#options = options;
    this.#consumer = consumer;
    this.#admin = admin;
    this.#logger = options.logger.child({ topic, partition });
  }

  get state(): PartitionState {
    return this.#state;
  }

  status(): PartitionStatus {
    const [position, highWatermark] = [this.#position, this.#highWatermark];
    return {
      topic: this.#topic,
      partition: this.#partition,
      state: this.#state,
      position,
      lag: position === undefined || highWatermark === undefined ? undefined : Math.max(0, highWatermark - position),
      lastError: this.#lastError,
    };
  }

  openAfter(settled: Promise<unknown>): void {
    void settled.then(() => this.#open());
  }

  async #open(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'opening';
    const processor = this.#options.createProcessor({
      topic: this.#topic,
      partition: this.#partition,
      groupId: this.#options.groupId,
      commitOffset: (nextOffset) => this.#commitOffset(nextOffset),
      fail: (error) => {
        if (this.#processor === processor) void this.#fail(error);
      },
    });
    this.#processor = processor;
    try {
      const answer = await processor.open();
      const start = await this.#startOffset(answer);
      if (this.isClosed()) return;
      this.#position = start;
      this.#consumer.seek({ topic: this.#topic, partition: this.#partition, offset: String(start) });
      this.#state = 'reading';
      this.#consumer.resume([{ topic: this.#topic, partitions: [this.#partition] }]);
      this.#logger.debug({ offset: start }, 'partition opened');
    } catch (error) {
      await this.#fail(asGridError(error, `Opening ${this.#topic}/${this.#partition} for ${this.#options.groupId}`));
    }
  }

  /** Where to start, after comparing it with what retention has left. */
  async #startOffset(answer: number | 'committed'): Promise<number> {
    try {
      const bounds = (await this.#admin.fetchTopicOffsets(this.#topic)).find(
        (entry) => entry.partition === this.#partition,
      );
      const low = Number(bounds?.low ?? 0);
      const high = Number(bounds?.high ?? 0);
      this.#highWatermark = high;
      let wanted = answer;
      if (wanted === 'committed') {
        const [group] = await this.#admin.fetchOffsets({ groupId: this.#options.groupId, topics: [this.#topic] });
        const committed = Number(
          group?.partitions.find((entry) => entry.partition === this.#partition)?.offset ?? '-1',
        );
        // The beginning of what there is, not offset 0: what went before any first reading is nobody's loss.
        if (committed < 0) return low;
        wanted = committed;
      }
      this.#expiredOffsets = 0;
      if (wanted < low && wanted > 0) {
        this.#expiredOffsets = low - wanted;
        this.#options.observer?.recordsExpired(this.#topic, this.#partition, low - wanted);
        const loss = new GridError(
          'expired-before-read',
          `Reading ${this.#topic}/${this.#partition} for ${this.#options.groupId}: offsets ${wanted} to ${low - 1} were removed by retention before they were read, so up to ${low - wanted} records are lost to this sink. Lengthen the topic's retention; look for them in the other stores.`,
        );
        this.#logger.error({ code: loss.code, from: wanted, to: low - 1 }, loss.message);
      }
      return Math.max(wanted, low);
    } catch (error) {
      if (error instanceof GridError) throw error;
      throw new GridError(
        'kafka-unavailable',
        `Asking Kafka where ${this.#topic}/${this.#partition} begins: ${error instanceof Error ? error.message : String(error)}. It is asked again.`,
        { cause: error },
      );
    }
  }

  /** Hands a batch on; resolves to the last offset that is done with, or undefined when the batch must be read again. */
  async process(batch: Batch): Promise<string | undefined> {
    const processor = this.#processor;
    const position = this.#position;
    if (this.#state !== 'reading' || processor === undefined || position === undefined) return undefined;
    const lastOffset = batch.lastOffset();
    const records = toRecords(batch, position);
    const consumed: ConsumedBatch = {
      topic: this.#topic,
      partition: this.#partition,
      records,
      nextOffset: Math.max(Number(lastOffset) + 1, position),
      highWatermark: Number(batch.highWatermark),
      expiredOffsets: this.#expiredOffsets,
    };
    this.#highWatermark = consumed.highWatermark;
    const startedMs = performance.now();
    const work = processor.process(consumed);
    this.#processing = work.catch(() => undefined);
    try {
      await work;
    } catch (error) {
      await this.#fail(asGridError(error, `Processing ${this.#topic}/${this.#partition} for ${this.#options.groupId}`));
      return undefined;
    }
    if (this.isClosed()) return undefined;
    this.#position = consumed.nextOffset;
    this.#expiredOffsets = 0;
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#lastError = undefined;
      this.#logger.info({ offset: consumed.nextOffset }, 'partition goes on');
    }
    this.#options.observer?.batchProcessed(consumed, performance.now() - startedMs);
    return lastOffset;
  }

  async #commitOffset(nextOffset: number): Promise<void> {
    if (this.#state === 'closed' && this.#closing === undefined) return;
    try {
      await this.#consumer.commitOffsets([
        { topic: this.#topic, partition: this.#partition, offset: String(nextOffset) },
      ]);
    } catch (error) {
      throw new GridError(
        'kafka-unavailable',
        `Committing offset ${nextOffset} of ${this.#topic}/${this.#partition} for ${this.#options.groupId}: ${error instanceof Error ? error.message : String(error)}. What lies behind the committed offset is read again.`,
        { cause: error },
      );
    }
  }

  async #fail(error: GridError): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'waiting') return;
    this.#state = 'waiting';
    this.#lastError = error;
    this.#consumer.pause([{ topic: this.#topic, partitions: [this.#partition] }]);
    const delayMs = Math.min(this.#options.maxRetryDelayMs, FIRST_RETRY_DELAY_MS * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    this.#options.observer?.partitionFailed(this.#topic, this.#partition, error);
    this.#logger.warn(
      { code: error.code, attempt: this.#failures, delayMs, err: error.cause },
      `${error.message} The partition waits ${delayMs} ms and is opened anew.`,
    );
    const processor = this.#processor;
    this.#processor = undefined;
    await processor?.close({ kind: 'failed', error });
    if (this.isClosed()) return;
    this.#timer = setTimeout(() => void this.#open(), delayMs * (0.8 + 0.4 * Math.random()));
  }

  close(reason: CloseReason): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    await this.#processing;
    await this.#processor?.close(reason);
    this.#processor = undefined;
  }

  // A method, so that the compiler does not take the state for what it was before an await.
  isClosed(): boolean {
    return this.#state === 'closed';
  }
}

function toRecords(batch: Batch, position: number): ConsumedRecord[] {
  const records: ConsumedRecord[] = [];
  for (const message of batch.messages) {
    const offset = Number(message.offset);
    if (offset < position) continue;
    records.push({
      offset,
      key: message.key,
      value: message.value,
      timestampMs: Number(message.timestamp),
      headers: message.headers ?? {},
    });
  }
  return records;
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
