import type { Admin, Batch, Consumer } from 'kafkajs';
import { asGridError, GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { CloseReason, ConsumedBatch, PartitionContext, PartitionProcessor } from './consumed.ts';
import { FetchedRecords } from './fetched-records.ts';
import { startOffset } from './start-offset.ts';

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

/** Pause of a partition after its first failure, milliseconds. */
export const FIRST_RETRY_DELAY_MS = 250;

/** One partition during one ownership. Its modes and their transitions are drawn at `PartitionConsumer`. */
export class OwnedPartition {
  readonly #topic: string;
  readonly #partition: number;
  readonly #options: OwnedPartitionOptions;
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

  constructor(topic: string, partition: number, options: OwnedPartitionOptions, consumer: Consumer, admin: Admin) {
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
      const opening = processor.open();
      // A close that comes meanwhile has to wait: a processor is promised that its calls never overlap.
      this.#processing = opening.catch(() => undefined);
      const answer = await opening;
      const bounds = await startOffset(this.#admin, this.#options.groupId, this.#topic, this.#partition, answer);
      if (this.isClosed()) return;
      const start = bounds.offset;
      this.#highWatermark = bounds.highWatermark;
      this.#expiredOffsets = bounds.expiredOffsets;
      if (bounds.expiredOffsets > 0) this.#reportLoss(start, bounds.expiredOffsets);
      this.#position = start;
      this.#consumer.seek({ topic: this.#topic, partition: this.#partition, offset: String(start) });
      this.#state = 'reading';
      this.#consumer.resume([{ topic: this.#topic, partitions: [this.#partition] }]);
      this.#logger.debug({ offset: start }, 'partition opened');
    } catch (error) {
      await this.#fail(asGridError(error, `Opening ${this.#topic}/${this.#partition} for ${this.#options.groupId}`));
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
    if (this.#state !== 'reading' || processor === undefined || position === undefined) return undefined;
    const lastOffset = batch.lastOffset();
    const records = new FetchedRecords(batch.messages, position);
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
