/**
 * Where the offsets of a partition are cut into segments, so that the batch and the speed layer can meet without a gap: the windows sink keeps its
 * rows by segment, the HDFS sink ends a commit at each cut, and a batch view covers whole segments. Both decide by the records alone,
 * so they need not know of each other.
 */

/** How long a segment is unless it is configured, by the time at which its records were appended to Kafka. */
export const SEGMENT_LENGTH_MS = 10 * 60_000;
/** A segment ends at such multiples in any case, so that it ends on topics with odd times too. */
export const SEGMENT_OFFSETS = 1_000_000;

/** A record's place and the time at which it was appended, epoch ms. */
export interface Appended {
  readonly offset: number;
  readonly timestampMs: number;
}

/**
 * Finds the cuts in one partition: in order of offsets, ask of each record whether a segment begins with it. A cutter that starts later than another
 * finds at least the cuts that the other finds behind its start: times may run backwards where a topic keeps its producers' times, so what
 * decides is the latest time seen.
 *
 * The number of a segment is the epoch millisecond with which it begins, so that numbers stay in order when the length is changed.
 */
export class SegmentCutter {
  readonly #lengthMs: number;
  #number: number | undefined;
  #stretch: number | undefined;
  /** Before both of them nothing is cut; asking costs two comparisons then. */
  #endMs = -Infinity;
  #endOffset = -Infinity;

  /**
   * @param before where it goes on: the number of the segment in which the records before lie, as {@link number} told it, and the last
   * offset among them
   */
  constructor(lengthMs: number = SEGMENT_LENGTH_MS, before: { number?: number; lastOffset?: number | undefined } = {}) {
    const { number, lastOffset } = before;
    this.#lengthMs = lengthMs;
    this.#number = number;
    this.#stretch = lastOffset === undefined ? undefined : Math.floor(lastOffset / SEGMENT_OFFSETS);
    this.#setEnds();
  }

  /** Whether a segment ends before this record. Never for the first record of a cutter that knows of none before. */
  isCut({ offset, timestampMs }: Appended): boolean {
    if (timestampMs < this.#endMs && offset < this.#endOffset) return false;
    const number = Math.floor(timestampMs / this.#lengthMs) * this.#lengthMs;
    const stretch = Math.floor(offset / SEGMENT_OFFSETS);
    const isLater = this.#number !== undefined && number > this.#number;
    const isBeyond = this.#stretch !== undefined && stretch > this.#stretch;
    if (this.#number === undefined || number > this.#number) this.#number = number;
    this.#stretch = stretch;
    this.#setEnds();
    return isLater || isBeyond;
  }

  /** The latest segment number seen, to go on with later; undefined before the first record. */
  get number(): number | undefined {
    return this.#number;
  }

  #setEnds(): void {
    if (this.#number !== undefined) this.#endMs = this.#number + this.#lengthMs;
    if (this.#stretch !== undefined) this.#endOffset = (this.#stretch + 1) * SEGMENT_OFFSETS;
  }
}
