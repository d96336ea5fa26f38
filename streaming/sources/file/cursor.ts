import { GridError } from '../../../grid/errors.ts';
import { readLines, type Line } from './lines.ts';
import { readRow, type RowContent, type TimeRange } from './row-readings.ts';
import { SeriesClock } from './series-time.ts';
import type { TableLayout } from './table.ts';

/** How far a file was read. */
export interface FilePosition {
  /** Number of the next line. */
  readonly row: number;
  /** Where it starts, bytes. */
  readonly byte: number;
  /** The latest event time before it, epoch milliseconds; null before the first. */
  readonly latestMs: number | null;
}

/** A row that has something to send. */
export interface CursorRow {
  readonly row: number;
  readonly content: Exclude<RowContent, { kind: 'nothing' }>;
  /** When it is due: its event time; for a row that cannot be read, that of the rows above it. */
  readonly dueMs: number;
  readonly after: FilePosition;
}

export interface CursorOptions {
  readonly layout: TableLayout;
  /** Where to go on; the first data row by default. */
  readonly position?: FilePosition;
  /** Rows outside are passed over. */
  readonly range: TimeRange;
  /** A later event time is taken for a mistake: waiting for it would hold up the whole replay. */
  readonly latestPlausibleMs: number;
}

/** Reads one file row by row, the next row always in sight, so that several files can be merged by time. */
export class FileCursor {
  readonly layout: TableLayout;
  readonly #options: CursorOptions;
  readonly #clock: SeriesClock;
  readonly #abort = new AbortController();
  readonly #chunks: AsyncGenerator<readonly Line[], void, void>;
  #lines: readonly Line[] = [];
  #at = 0;
  #next: CursorRow | undefined;
  #failure: GridError | undefined;
  /** Rows passed over since they lie outside the range. */
  outOfRange = 0;
  /** Rows with an earlier time than a row above them. */
  outOfOrder = 0;

  constructor(options: CursorOptions) {
    this.layout = options.layout;
    this.#options = options;
    this.#clock = new SeriesClock(options.layout.mapping.time, {
      latestPlausibleMs: options.latestPlausibleMs,
      latestMs: options.position?.latestMs ?? -Infinity,
    });
    this.#chunks = readLines({
      path: options.layout.path,
      encoding: options.layout.mapping.encoding,
      start: options.position ?? options.layout.dataStart,
      signal: this.#abort.signal,
    });
  }

  /** The row in sight; undefined at the end of the file. Call {@link advance} first. */
  get next(): CursorRow | undefined {
    return this.#next;
  }

  /** Why the file ended before its end, if it did. */
  get failure(): GridError | undefined {
    return this.#failure;
  }

  /** Whether {@link advance} can go on without reading from the file. */
  get buffered(): boolean {
    return this.#at < this.#lines.length;
  }

  /** Moves to the next row that has something to send. */
  async advance(): Promise<void> {
    while (!this.advanceBuffered()) {
      const chunk = await this.#readChunk();
      if (chunk === undefined) {
        this.#next = undefined;
        return;
      }
      this.#lines = chunk;
      this.#at = 0;
    }
  }

  /** {@link advance} within what has been read; whether there was such a row. */
  advanceBuffered(): boolean {
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      this.#at += 1;
      const latestBefore = this.#clock.latestMs;
      const content = readRow(line, this.layout, this.#clock, this.#options.range);
      if (content.kind === 'nothing') {
        if (content.timeMs !== undefined) this.outOfRange += 1;
        continue;
      }
      if (content.kind === 'readings') {
        if (content.timeMs < latestBefore) this.outOfOrder += 1;
        if (content.cells.length === 0 && content.bad.length === 0) continue;
      }
      const latestMs = this.#clock.latestMs;
      this.#next = {
        row: line.row,
        content,
        dueMs: content.kind === 'readings' ? content.timeMs : latestMs,
        after: { row: line.nextRow, byte: line.endByte, latestMs: Number.isFinite(latestMs) ? latestMs : null },
      };
      return true;
    }
    return false;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#chunks.return();
  }

  /** A file that breaks off ends there; the others go on, and the failure is told at the end. */
  async #readChunk(): Promise<readonly Line[] | undefined> {
    try {
      const result = await this.#chunks.next();
      return result.done === true ? undefined : result.value;
    } catch (error) {
      if (!(error instanceof GridError)) throw error;
      this.#failure = error;
      return undefined;
    }
  }
}
