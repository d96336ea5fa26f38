import type { GridError } from '../../../grid/errors.ts';
import type { ProducedRecord } from './record-producer.ts';

/** Bytes a record takes beside its key, value and headers: in Kafka's format, and roughly on the heap while it waits. */
const RECORD_OVERHEAD_BYTES = 64;

/** Bytes that a record is accounted with while it waits. */
export function sizeOf({ key, value, headers }: ProducedRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + lengthOf(key) + lengthOf(value);
  if (headers !== undefined) {
    for (const name in headers) bytes += Buffer.byteLength(name) + lengthOf(headers[name] ?? null);
  }
  return bytes;
}

function lengthOf(part: string | Buffer | null): number {
  if (part === null) return 0;
  return typeof part === 'string' ? Buffer.byteLength(part) : part.length;
}

/** One call of `send`: settles when its last record is acknowledged, or with the first failure of one. */
export class Delivery {
  readonly done: Promise<void>;
  readonly queuedAtMs: number;
  #open: number;
  #failed = false;
  #resolve: () => void = () => undefined;
  #reject: (error: GridError) => void = () => undefined;

  constructor(records: number, queuedAtMs: number) {
    this.#open = records;
    this.queuedAtMs = queuedAtMs;
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Whether it has failed: what still waits of it need not be written any more. */
  get failed(): boolean {
    return this.#failed;
  }

  acknowledge(): void {
    this.#open--;
    if (this.#open === 0 && !this.#failed) this.#resolve();
  }

  fail(error: GridError): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#reject(error);
  }
}

/** A record that waits, with the call it belongs to. */
export interface QueuedRecord {
  readonly record: ProducedRecord;
  readonly bytes: number;
  readonly delivery: Delivery;
}

/** The records of one partition that wait, oldest first. At most one batch of it is under way (`busy`). */
export class PartitionQueue {
  readonly partition: number;
  busy = false;
  #records: QueuedRecord[] = [];
  #head = 0;
  #bytes = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#records.length;
  }

  push(queued: QueuedRecord): void {
    this.#records.push(queued);
    this.#bytes += queued.bytes;
  }

  /**
   * Takes the oldest records, as many as fit; always at least one when there is any. Those whose call has failed meanwhile
   * are left out and handed to `drop`.
   */
  take(maxRecords: number, maxBytes: number, drop: (queued: QueuedRecord) => void): QueuedRecord[] {
    const taken: QueuedRecord[] = [];
    let bytes = 0;
    for (;;) {
      const next = this.#records[this.#head];
      if (next === undefined) break;
      if (next.delivery.failed) {
        drop(this.#shift(next));
        continue;
      }
      if (taken.length > 0 && (taken.length === maxRecords || bytes + next.bytes > maxBytes)) break;
      taken.push(this.#shift(next));
      bytes += next.bytes;
    }
    return taken;
  }

  /** Takes the records that were queued before `timeMs`; all of them for `Infinity`. */
  takeOlderThan(timeMs: number): QueuedRecord[] {
    const taken: QueuedRecord[] = [];
    for (;;) {
      const next = this.#records[this.#head];
      if (next === undefined || next.delivery.queuedAtMs >= timeMs) return taken;
      taken.push(this.#shift(next));
    }
  }

  #shift(next: QueuedRecord): QueuedRecord {
    this.#head++;
    this.#bytes -= next.bytes;
    if (this.#head === this.#records.length) {
      this.#records = [];
      this.#head = 0;
    } else if (this.#head >= 4_096) {
      // Keeps what was taken from being held by the array, at a cost that is spread over many takes.
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }
}
