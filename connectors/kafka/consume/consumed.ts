import type { GridError } from '../../../grid/errors.ts';

/** One record as it lies in Kafka: its bytes are never touched. */
export interface ConsumedRecord {
  /** Offset in the partition; exact, since offsets stay far below 2^53. */
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Record timestamp, epoch milliseconds: when the broker (or the producer, as the topic is set) received it. */
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
}

/** Records to be gone through once, in offset order; made one by one, so that a batch costs little memory. */
export interface ConsumedRecords extends Iterable<ConsumedRecord> {
  readonly length: number;
}

/** Records of one partition in offset order. Offsets may have gaps: compacted, aborted and control records are not in it. */
export interface ConsumedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: ConsumedRecords;
  /** The offset behind the batch: where reading goes on once this batch is done. */
  readonly nextOffset: number;
  /** The partition's end when the batch was fetched: the offset that the next record produced will have. */
  readonly highWatermark: number;
  /** Offsets just before this batch that retention removed before this group read them: lost to it. Mostly 0. */
  readonly expiredOffsets: number;
}

/** Why a partition is closed. */
export type CloseReason =
  /** The process stops: keep what can be kept within the given time. */
  | { readonly kind: 'stopped' }
  /** The group rebalances: another member may own the partition at any moment. */
  | { readonly kind: 'revoked' }
  /** The processor itself failed; it is opened again after a pause. */
  | { readonly kind: 'failed'; readonly error: GridError };

/**
 * Where a processor starts: at an offset, or at the group's committed one (the partition's beginning when there is none). A processor that has to see
 * once more what it had seen before `offset` is given it from `rereadFrom` on, as far as Kafka still has it: that some of that is gone is no loss.
 */
export type OpenAnswer = number | 'committed' | { readonly offset: number; readonly rereadFrom: number };

/**
 * What a sink does with one partition while it owns it. The consumer calls it never twice at once, in the order
 * `open`, `process`*, `close`; after `close` a new processor is made for the next ownership.
 */
export interface PartitionProcessor {
  /** Makes ready; resolves to where reading starts. */
  open(): Promise<OpenAnswer>;
  /**
   * Takes a batch. Once it resolves, reading goes on behind the batch. It must not wait for a store that is down:
   * it throws, and the consumer pauses this partition alone, waits, and opens it anew.
   */
  process(batch: ConsumedBatch): Promise<void>;
  /** Lets go of everything; never throws. After a `failed` or `revoked` it must not publish under the old ownership unless that is safe. */
  close(reason: CloseReason): Promise<void>;
}

/** What a processor is given of the consumer that drives it. */
export interface PartitionContext {
  readonly topic: string;
  readonly partition: number;
  /**
   * Commits `nextOffset` to the group: reading would start there again. For sinks that return `committed` from
   * `open` it is the truth, for others it only shows the lag.
   */
  commitOffset(nextOffset: number): Promise<void>;
  /**
   * Tells the consumer of a failure that happened outside `process` (a timer, a background write): the
   * partition is paused, closed as `failed` and opened anew.
   */
  fail(error: GridError): void;
  /** Group membership at the time of opening, for transactional offset commits. */
  readonly groupId: string;
}
