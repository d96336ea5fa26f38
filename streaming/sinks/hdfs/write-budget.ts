/** What one process may hold for files that are being written, shared evenly by the partitions it owns. */
export interface WriteLimits {
  /** Bytes buffered in memory, all partitions together. */
  readonly bufferBytes: number;
  /** Files open in HDFS at once, all partitions together. */
  readonly openFiles: number;
}

/**
 * Divides {@link WriteLimits} among the partitions that are owned now. A share shrinks when partitions are assigned; who
 * then holds more than its share flushes at its next record.
 */
export class WriteBudget {
  readonly #limits: WriteLimits;
  #owners = 0;

  constructor(limits: WriteLimits) {
    this.#limits = limits;
  }

  join(): void {
    this.#owners++;
  }

  leave(): void {
    this.#owners--;
  }

  get bufferBytesShare(): number {
    return Math.floor(this.#limits.bufferBytes / Math.max(1, this.#owners));
  }

  get openFilesShare(): number {
    return Math.max(1, Math.floor(this.#limits.openFiles / Math.max(1, this.#owners)));
  }
}
