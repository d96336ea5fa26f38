import { setImmediate as yieldToTimers } from 'node:timers/promises';
import type { Admin, Batch, Consumer } from 'kafkajs';
import { asGridError, GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { StateMachine } from '../../../runtime/state-machine.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import type { CloseReason, ConsumedBatch, ConsumedRecords, PartitionContext, PartitionProcessor } from './consumed.ts';
import type { UndecodableBatch } from './decode/fetched-message.ts';
import { FetchedRecords } from './fetched-records.ts';
import { partitionBounds, startOffset } from './start-offset.ts';

/** Tells how reading goes; for metrics. */
export interface ConsumerObserver {
  batchProcessed(batch: ConsumedBatch, durationMs: number): void;
  partitionFailed(topic: string, partition: number, error: GridError): void;
  recordsExpired(topic: string, partition: number, count: number): void;
}

/** What the ownership of a partition is made from. */
export interface OwnedPartitionOptions {
  readonly groupId: string;
  /** Makes the processor of a partition, anew for each time that it is opened. */
  readonly createProcessor: (context: PartitionContext) => PartitionProcessor;
  readonly logger: Logger;
  readonly observer?: ConsumerObserver;
  /** Longest pause of a partition between two tries, milliseconds; it doubles from 250 ms on. */
  readonly maxRetryDelayMs: number;
}

/** What a partition is doing; see `PartitionConsumer`. */
export type PartitionState = 'opening' | 'reading' | 'stalled' | 'waiting' | 'closed';

export interface PartitionStatus {
  readonly topic: string;
  readonly partition: number;
  readonly state: PartitionState;
  /** Next offset to be processed; undefined before the partition was opened. */
  readonly position: number | undefined;
  readonly lag: number | undefined;
  readonly lastError: GridError | undefined;
}

/** Pause of a partition after its first failure, milliseconds. */
export const FIRST_RETRY_DELAY_MS = 250;
/**
 * Most records that a processor is given at once. Compressed, a fetch may hold very many, and decoding them leaves no time for heartbeats:
 * as many as this, all of them bad, take some tenths of a second.
 */
const MOST_RECORDS = 10_000;
/** Members that failed together do not come back together. */
const RETRY_JITTER = 0.2;

/** One partition during one ownership. Its states and their transitions are drawn at `PartitionConsumer`. */
export class OwnedPartition {
  readonly #topic: string;
  readonly #partition: number;
  readonly #options: OwnedPartitionOptions;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #logger: Logger;
  readonly #life: StateMachine<PartitionState>;
  readonly #backoff: Backoff;
  #processor: PartitionProcessor | undefined;
  #processing: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #position: number | undefined;
  #highWatermark: number | undefined;
  #expiredOffsets = 0;
  /** What lies before it was read by an earlier owner, and is at most read again. */
  #firstUnread = 0;
  #failures = 0;
  #lastError: GridError | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(topic: string, partition: number, options: OwnedPartitionOptions, consumer: Consumer, admin: Admin) {
    this.#topic = topic;
    this.#partition = partition;
    this.#options = options;
    this.#consumer = consumer;
    this.#admin = admin;
    this.#logger = options.logger.child({ topic, partition });
    this.#life = new StateMachine(`Partition ${topic}/${partition} of ${options.groupId}`, 'opening', {
      opening: ['reading', 'waiting', 'closed'],
      reading: ['stalled', 'waiting', 'closed'],
      stalled: ['reading', 'waiting', 'closed'],
      waiting: ['opening', 'closed'],
      closed: [],
    });
    const longestMs = options.maxRetryDelayMs;
    this.#backoff = new Backoff({ firstMs: FIRST_RETRY_DELAY_MS, longestMs, jitter: RETRY_JITTER });
  }

  get topic(): string {
    return this.#topic;
  }

  get isReading(): boolean {
    return this.#life.is('reading');
  }

  get isClosed(): boolean {
    return this.#life.is('closed');
  }

  status(): PartitionStatus {
    const [position, highWatermark] = [this.#position, this.#highWatermark];
    return {
      topic: this.#topic,
      partition: this.#partition,
      state: this.#life.state,
      position,
      lag: position === undefined || highWatermark === undefined ? undefined : Math.max(0, highWatermark - position),
      lastError: this.#lastError,
    };
  }

  /** Takes note of where the partition ends; while nothing is fetched of it, somebody else has to ask. */
  endsAt(partition: number, highWatermark: number): void {
    if (partition === this.#partition) this.#highWatermark = highWatermark;
  }

  openAfter(settled: Promise<unknown>): void {
    void settled.then(() => this.#open());
  }

  async #open(): Promise<void> {
    if (!this.#life.is('opening')) return;
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
      const opening = processor.open();
      // A close that comes meanwhile has to wait: a processor is promised that its calls never overlap.
      this.#processing = opening.catch(() => undefined);
      const answer = await opening;
      const start = await startOffset(this.#admin, this.#options.groupId, this.#topic, this.#partition, answer);
      // It may have been closed, or its processor have failed, meanwhile.
      if (!this.#life.is('opening') || this.#processor !== processor) return;
      this.#highWatermark = start.highWatermark;
      this.#firstUnread = start.firstUnread;
      this.#readFrom(start.offset, start.expiredOffsets);
      this.#logger.debug({ offset: start.offset }, 'partition opened');
    } catch (error) {
      await this.#fail(asGridError(error, `Opening ${this.#topic}/${this.#partition} for ${this.#options.groupId}`));
    }
  }

  #readFrom(offset: number, expiredOffsets: number): void {
    this.#expiredOffsets = expiredOffsets;
    if (expiredOffsets > 0) this.#reportLoss(Math.max(offset, this.#firstUnread), expiredOffsets);
    this.#position = offset;
    this.#consumer.seek({ topic: this.#topic, partition: this.#partition, offset: String(offset) });
    this.#life.to('reading');
    this.#consumer.resume([{ topic: this.#topic, partitions: [this.#partition] }]);
  }

  /**
   * Offsets are missing before what was fetched. Mostly nothing was ever there to be read (compacted, control records); but records may also have
   * been removed since reading began, which kafkajs passes over without a word.
   */
  async #lookIntoGap(position: number, firstOffset: number): Promise<void> {
    try {
      const { low } = await partitionBounds(this.#admin, this.#topic, this.#partition);
      const from = Math.max(position, this.#firstUnread);
      const lost = Math.min(low, firstOffset) - from;
      if (lost <= 0 || !this.#life.is('reading')) return;
      this.#expiredOffsets += lost;
      this.#reportLoss(from + lost, lost);
    } catch (error) {
      await this.#fail(asGridError(error, `Reading ${this.#topic}/${this.#partition}`));
    }
  }

  #reportLoss(start: number, count: number): void {
    this.#options.observer?.recordsExpired(this.#topic, this.#partition, count);
    const loss = new GridError(
      'expired-before-read',
      `Reading ${this.#topic}/${this.#partition} for ${this.#options.groupId}: offsets ${start - count} to ${start - 1} were removed by retention before they were read, so up to ${count} records are lost to this sink. Lengthen the topic's retention; look for them in the other stores.`,
    );
    this.#logger.error({ code: loss.code, from: start - count, to: start - 1 }, loss.message);
  }

  /** Hands a batch on; resolves to the last offset that is done with, or undefined when the batch must be read again. */
  async process(batch: Batch): Promise<string | undefined> {
    const processor = this.#processor;
    const position = this.#position;
    if (!this.#life.is('reading') || processor === undefined || position === undefined) return undefined;
    this.#highWatermark = Number(batch.highWatermark);
    const fetched = new FetchedRecords(batch.messages, position);
    const { undecodable, firstOffset } = fetched;
    if (firstOffset !== undefined && firstOffset > position) {
      await this.#lookIntoGap(position, firstOffset);
      if (!this.#life.is('reading') || this.#processor !== processor) return undefined;
    }
    if (undecodable !== undefined && undecodable.firstOffset <= position) {
      this.#stall(undecodable, position);
      return undefined;
    }
    const lastOffset = undecodable === undefined ? batch.lastOffset() : String(undecodable.firstOffset - 1);
    const endOffset = Math.max(Number(lastOffset) + 1, position);
    for (const { records, nextOffset } of fetched.slices(MOST_RECORDS)) {
      const processed = await this.#processSlice(processor, records, nextOffset ?? endOffset);
      if (!processed) return undefined;
      if (nextOffset !== undefined) await yieldToTimers();
    }
    return lastOffset;
  }

  /** Whether it was processed, and the partition is still this one's to go on with. */
  async #processSlice(processor: PartitionProcessor, records: ConsumedRecords, nextOffset: number): Promise<boolean> {
    const consumed: ConsumedBatch = {
      topic: this.#topic,
      partition: this.#partition,
      records,
      nextOffset,
      highWatermark: this.#highWatermark ?? nextOffset,
      expiredOffsets: this.#expiredOffsets,
    };
    const startedMs = performance.now();
    const work = processor.process(consumed);
    this.#processing = work.catch(() => undefined);
    try {
      await work;
    } catch (error) {
      await this.#fail(asGridError(error, `Processing ${this.#topic}/${this.#partition} for ${this.#options.groupId}`));
      return false;
    }
    if (!this.#life.is('reading') || this.#processor !== processor) return false;
    this.#position = nextOffset;
    this.#expiredOffsets = 0;
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#backoff.reset();
      this.#lastError = undefined;
      this.#logger.info({ offset: nextOffset }, 'partition goes on');
    }
    this.#options.observer?.batchProcessed(consumed, performance.now() - startedMs);
    return true;
  }

  async #commitOffset(nextOffset: number): Promise<void> {
    if (this.#life.is('closed') && this.#closing === undefined) return;
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

  /**
   * Stops before a batch that cannot be decoded, and looks again after a while. The processor stays open, so that it can keep what it
   * holds of the records before.
   */
  #stall({ firstOffset, lastOffset, error: cause }: UndecodableBatch, position: number): void {
    const error = new GridError(
      cause.code,
      `Decoding the records of ${this.#topic}/${this.#partition} from offset ${firstOffset} to ${lastOffset} for ${this.#options.groupId}: ${cause.message}. Nothing behind offset ${position - 1} is read of this partition. Have a version that can read it, or have Kafka delete the records before offset ${lastOffset + 1} (kafka-delete-records), which are then reported as lost.`,
      { cause: cause.cause },
    );
    this.#life.to('stalled');
    const delayMs = this.#pauseAfter(error);
    this.#logger.error(
      { code: error.code, offset: firstOffset, lastOffset, attempt: this.#failures, delayMs },
      error.message,
    );
    this.#timer = setTimeout(() => void this.#readOn(position), delayMs);
  }

  /** Reads on after a stall where it was; or, had the records there been deleted meanwhile, at the first that is left. */
  async #readOn(position: number): Promise<void> {
    try {
      const { low, high } = await partitionBounds(this.#admin, this.#topic, this.#partition);
      if (!this.#life.is('stalled')) return;
      this.#highWatermark = high;
      this.#readFrom(Math.max(position, low), Math.max(0, low - Math.max(position, this.#firstUnread)));
    } catch (error) {
      await this.#fail(asGridError(error, `Reading on in ${this.#topic}/${this.#partition}`));
    }
  }

  async #fail(error: GridError): Promise<void> {
    if (this.#life.is('closed', 'waiting')) return;
    this.#life.to('waiting');
    const delayMs = this.#pauseAfter(error);
    this.#logger.warn(
      { code: error.code, attempt: this.#failures, delayMs, err: error.cause },
      `${error.message} The partition waits ${delayMs} ms and is opened anew.`,
    );
    const processor = this.#processor;
    this.#processor = undefined;
    await this.#processing;
    await processor?.close({ kind: 'failed', error });
    if (!this.#life.is('waiting')) return;
    this.#timer = setTimeout(() => {
      this.#life.to('opening');
      void this.#open();
    }, delayMs);
  }

  /** Has nothing fetched of this partition; how long, in milliseconds, until it is tried again. */
  #pauseAfter(error: GridError): number {
    clearTimeout(this.#timer);
    this.#lastError = error;
    this.#failures++;
    this.#consumer.pause([{ topic: this.#topic, partitions: [this.#partition] }]);
    this.#options.observer?.partitionFailed(this.#topic, this.#partition, error);
    return Math.round(this.#backoff.next());
  }

  close(reason: CloseReason): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: CloseReason): Promise<void> {
    this.#life.to('closed');
    clearTimeout(this.#timer);
    await this.#processing;
    await this.#processor?.close(reason);
    this.#processor = undefined;
  }
}
