import type { HdfsPort, HdfsWriter } from '../../../connectors/hdfs/hdfs.ts';
import type { OnCommitPoint } from './commit-point.ts';
import type { CommittedFile } from '../../../connectors/hdfs/commit-log/commit-record.ts';

const LINE_FEED = 0x0a;
const FIRST_BUFFER_BYTES = 4 * 1024;
/** Chunks of this size cost least on the way to HDFS. */
const FULL_BUFFER_BYTES = 512 * 1024;

/** What a finished file is, all but its final path. */
export type FinishedFile = Omit<CommittedFile, 'path'>;

/**
 * One file of a range that is being written: lines gather in a buffer that grows up to 512 KiB; what is flushed goes to a
 * temporary file in HDFS, which is opened at the first flush only.
 */
export class RangeFile {
  readonly partitionPath: string;
  readonly firstOffset: number;
  readonly #hdfs: HdfsPort;
  readonly #temporaryPath: string;
  readonly #onPoint: OnCommitPoint;
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);
  #used = 0;
  #writer: HdfsWriter | undefined;
  #lengthBytes = 0;
  #records = 0;
  #lastOffset: number;
  #eventTimeMinMs = Number.POSITIVE_INFINITY;
  #eventTimeMaxMs = Number.NEGATIVE_INFINITY;

  constructor(
    hdfs: HdfsPort,
    partitionPath: string,
    temporaryPath: string,
    firstOffset: number,
    onPoint: OnCommitPoint,
  ) {
    this.#hdfs = hdfs;
    this.partitionPath = partitionPath;
    this.#temporaryPath = temporaryPath;
    this.firstOffset = firstOffset;
    this.#lastOffset = firstOffset;
    this.#onPoint = onPoint;
  }

  /** Memory that the file holds. */
  get bufferBytes(): number {
    return this.#buffer.length;
  }

  /** Bytes that a flush would send. */
  get unflushedBytes(): number {
    return this.#used;
  }

  get isOpenInHdfs(): boolean {
    return this.#writer !== undefined;
  }

  get lastOffset(): number {
    return this.#lastOffset;
  }

  /** Bytes of the file so far, flushed or not. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /**
   * Takes a line into the buffer. False, with nothing taken, when the buffer is full: flush, then try again. (A line longer
   * than a full buffer gets one of its own size.)
   */
  append(line: Buffer, offset: number, eventTimeMs: number | undefined): boolean {
    const needed = this.#used + line.length + 1;
    if (needed > this.#buffer.length && !this.#grow(needed)) return false;
    // Not `copy`, whose checks cost more than the copying of a line.
    this.#buffer.set(line, this.#used);
    this.#buffer[needed - 1] = LINE_FEED;
    this.#used = needed;
    this.#lengthBytes += line.length + 1;
    this.#records++;
    this.#lastOffset = offset;
    if (eventTimeMs !== undefined) {
      if (eventTimeMs < this.#eventTimeMinMs) this.#eventTimeMinMs = eventTimeMs;
      if (eventTimeMs > this.#eventTimeMaxMs) this.#eventTimeMaxMs = eventTimeMs;
    }
    return true;
  }

  #grow(needed: number): boolean {
    if (needed > FULL_BUFFER_BYTES && this.#used > 0) return false;
    let size = this.#buffer.length;
    while (size < needed && size < FULL_BUFFER_BYTES) size *= 2;
    const larger = Buffer.allocUnsafeSlow(Math.max(size, needed));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
    return true;
  }

  /** Sends what the buffer holds; the buffer is free again when it resolves. */
  async flush(): Promise<void> {
    if (this.#writer === undefined) {
      this.#writer = await this.#hdfs.create(this.#temporaryPath);
      this.#onPoint('file-created');
    }
    if (this.#used === 0) return;
    await this.#writer.write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
    if (this.#buffer.length > FULL_BUFFER_BYTES) this.#buffer = Buffer.allocUnsafeSlow(FULL_BUFFER_BYTES);
    this.#onPoint('file-flushed');
  }

  /** Flushes, closes and verifies the file. */
  async finish(): Promise<FinishedFile> {
    await this.flush();
    const written = await this.#writer?.close();
    this.#buffer = Buffer.alloc(0);
    const hasEventTime = this.#eventTimeMinMs <= this.#eventTimeMaxMs;
    return {
      temporaryPath: this.#temporaryPath,
      lengthBytes: written?.lengthBytes ?? 0,
      checksum: written?.checksum ?? '',
      records: this.#records,
      firstOffset: this.firstOffset,
      lastOffset: this.#lastOffset,
      eventTimeMinMs: hasEventTime ? this.#eventTimeMinMs : null,
      eventTimeMaxMs: hasEventTime ? this.#eventTimeMaxMs : null,
    };
  }

  async abort(): Promise<void> {
    this.#buffer = Buffer.alloc(0);
    await this.#writer?.abort();
  }
}
