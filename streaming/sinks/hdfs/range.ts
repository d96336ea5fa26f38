import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import type { OnCommitPoint } from './commit-point.ts';
import type { PartitionLayout } from '../../../connectors/hdfs/commit-log/layout.ts';
import { RangeFile, type FinishedFile } from './range-file.ts';
import type { WriteBudget } from './write-budget.ts';

/** Counts of a range, as they stand in its commit record. */
export interface RangeCounts {
  records: number;
  unreadable: number;
  notRouted: number;
  missing: number;
  expired: number;
}

/** A file of a finished range and the partition path that it belongs to. */
export interface FinishedRangeFile {
  readonly partitionPath: string;
  readonly file: FinishedFile;
}

/** Files that are closed at once at a commit: each waits for a NameNode and a DataNode. */
const CONCURRENT_CLOSES = 8;

/**
 * The records since the last commit: one open file per partition path, all under this partition's share of the write
 * budget. When memory runs out the largest buffer is flushed; when too many files are open in HDFS, the
 * one with the most bytes is finished early (a later record of its path starts another file).
 */
export class Range {
  readonly firstOffset: number;
  readonly startedAtMs: number;
  readonly counts: RangeCounts = { records: 0, unreadable: 0, notRouted: 0, missing: 0, expired: 0 };
  /** The offset behind the last that was taken; the range is empty while it is `firstOffset`. */
  nextOffset: number;
  readonly #hdfs: HdfsPort;
  readonly #layout: PartitionLayout;
  readonly #owner: string;
  readonly #budget: WriteBudget;
  readonly #onPoint: OnCommitPoint;
  readonly #files = new Map<string, RangeFile>();
  readonly #finished: FinishedRangeFile[] = [];
  #bufferBytes = 0;
  #openFiles = 0;
  #fileCount = 0;
  #lengthBytes = 0;

  constructor(
    hdfs: HdfsPort,
    layout: PartitionLayout,
    owner: string,
    firstOffset: number,
    budget: WriteBudget,
    onPoint: OnCommitPoint,
  ) {
    this.#hdfs = hdfs;
    this.#layout = layout;
    this.#owner = owner;
    this.firstOffset = firstOffset;
    this.nextOffset = firstOffset;
    this.startedAtMs = Date.now();
    this.#budget = budget;
    this.#onPoint = onPoint;
  }

  /** Bytes of all files so far. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  get isEmpty(): boolean {
    return this.nextOffset === this.firstOffset;
  }

  /** Takes a line; undefined when it was taken at once, else a promise to wait for (flushing is rare, awaiting is not free). */
  append(path: string, line: Buffer, offset: number, eventTimeMs: number | undefined): Promise<void> | undefined {
    let file = this.#files.get(path);
    if (file === undefined) {
      this.#fileCount++;
      const temporaryPath = `${this.#layout.ownerDirectory(this.#owner)}/data-${this.firstOffset}-${this.#fileCount}`;
      file = new RangeFile(this.#hdfs, path, temporaryPath, offset, this.#onPoint);
      this.#files.set(path, file);
      this.#bufferBytes += file.bufferBytes;
    }
    const before = file.bufferBytes;
    const taken = file.append(line, offset, eventTimeMs);
    this.#bufferBytes += file.bufferBytes - before;
    if (!taken) return this.#appendAfterFlush(file, line, offset, eventTimeMs);
    this.counts.records++;
    this.#lengthBytes += line.length + 1;
    return this.#bufferBytes > this.#budget.bufferBytesShare ? this.#relieve() : undefined;
  }

  async #appendAfterFlush(
    file: RangeFile,
    line: Buffer,
    offset: number,
    eventTimeMs: number | undefined,
  ): Promise<void> {
    await this.#flush(file);
    const path = file.partitionPath;
    await this.append(path, line, offset, eventTimeMs);
  }

  /** Frees memory: finishes the files with the most buffered bytes, so that their buffers are given back. */
  async #relieve(): Promise<void> {
    while (this.#bufferBytes > this.#budget.bufferBytesShare && this.#files.size > 1) {
      const byUnflushed = [...this.#files.values()].sort((a, b) => b.unflushedBytes - a.unflushedBytes);
      await Promise.all(byUnflushed.slice(0, CONCURRENT_CLOSES).map((file) => this.#finish(file)));
    }
  }

  async #flush(file: RangeFile): Promise<void> {
    if (!file.isOpenInHdfs) {
      if (this.#openFiles >= this.#budget.openFilesShare) {
        const [longest] = [...this.#files.values()]
          .filter((other) => other.isOpenInHdfs)
          .sort((a, b) => b.lengthBytes - a.lengthBytes);
        if (longest !== undefined) await this.#finish(longest);
      }
      this.#openFiles++;
    }
    const before = file.bufferBytes;
    await file.flush();
    this.#bufferBytes += file.bufferBytes - before;
  }

  async #finish(file: RangeFile): Promise<void> {
    this.#files.delete(file.partitionPath);
    this.#bufferBytes -= file.bufferBytes;
    if (file.isOpenInHdfs) this.#openFiles--;
    this.#finished.push({ partitionPath: file.partitionPath, file: await file.finish() });
  }

  /** Closes and verifies every file. */
  async finish(): Promise<readonly FinishedRangeFile[]> {
    const waiting = [...this.#files.values()];
    const closeSome = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await this.#finish(file);
    };
    await Promise.all(Array.from({ length: CONCURRENT_CLOSES }, closeSome));
    this.#onPoint('files-closed');
    return this.#finished;
  }

  /** Gives up; never throws. Its temporaries stay until the next owner clears them away. */
  async abort(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.abort()));
    this.#files.clear();
  }
}
