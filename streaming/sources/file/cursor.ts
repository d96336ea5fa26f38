import { GridError } from '../../../grid/errors.ts';
import { readLines, type Line, type LineBlock, type TextEnd } from './lines.ts';
import type { FilePosition } from './position.ts';
import { readRow, type RowContent, type TimeRange } from './row-readings.ts';
import { SeriesClock } from './series-time.ts';
import { isSent } from './sweeps.ts';
import type { TableLayout } from './table.ts';

/** A row that has something to send. */
export interface CursorRow {
  readonly row: number;
  readonly content: Exclude<RowContent, { kind: 'nothing' }>;
  /** When it is due: its event time; for a row that cannot be read, that of the rows above it. */
  readonly dueMs: number;
  /** The position behind it. */
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
  readonly now?: () => number;
}

/** Reads one file row by row, the next row always in sight, so that several files can be merged by time. */
export class FileCursor {
  readonly layout: TableLayout;
  readonly #options: CursorOptions;
  readonly #clock: SeriesClock;
  readonly #abort = new AbortController();
  readonly #blocks: AsyncGenerator<LineBlock, TextEnd | undefined, void>;
  #block: LineBlock | undefined;
  #at = 0;
  #next: CursorRow | undefined;
  #failure: GridError | undefined;
  #end: FilePosition | undefined;
  /** Rows passed over since they lie outside the range, or were sent before in another. */
  passedOver = 0;
  /** Rows with an earlier time than a row above them. */
  outOfOrder = 0;
  /** Length of a last line that was held back, since it may not be written to its end. */
  heldBackBytes = 0;

  constructor(options: CursorOptions) {
    const { layout, position, now } = options;
    const { mapping } = layout;
    this.layout = layout;
    this.#options = options;
    this.#clock = new SeriesClock(mapping.time, {
      latestPlausibleMs: options.latestPlausibleMs,
      latestMs: position?.latestMs ?? -Infinity,
    });
    this.#blocks = readLines({
      ...{ path: layout.path, encoding: mapping.encoding, lastLine: mapping.lastLine },
      start: position === undefined || position.byte < layout.dataStart.byte ? layout.dataStart : position,
      signal: this.#abort.signal,
      ...(now === undefined ? {} : { now }),
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

  /** The position behind all that the file held, once that is reached. */
  get end(): FilePosition | undefined {
    return this.#end;
  }

  /** Moves to the next row that has something to send. */
  async advance(): Promise<void> {
    while (!this.advanceBuffered()) {
      const result = await this.#readBlock();
      if (result !== undefined && result.done !== true) {
        this.#block = result.value;
        this.#at = 0;
        continue;
      }
      this.#next = undefined;
      this.#block = undefined;
      if (result?.value !== undefined) this.#reachEnd(result.value);
      return;
    }
  }

  /** {@link advance} within what has been read; whether there was such a row. */
  advanceBuffered(): boolean {
    const block = this.#block;
    if (block === undefined) return false;
    for (let line = block.lines[this.#at]; line !== undefined; line = block.lines[this.#at]) {
      this.#at += 1;
      const latestBefore = this.#clock.latestMs;
      const content = readRow(line, this.layout, this.#clock, this.#options.range);
      if (content.kind === 'nothing') {
        if (content.timeMs !== undefined) this.passedOver += 1;
        continue;
      }
      if (this.#isSent(line, content)) {
        this.passedOver += 1;
        continue;
      }
      if (content.kind === 'readings') {
        if (content.timeMs < latestBefore) this.outOfOrder += 1;
        if (content.cells.length === 0 && content.bad.length === 0) continue;
      }
      const { nextRow, endByte } = line;
      this.#next = {
        row: line.row,
        content,
        dueMs: content.kind === 'readings' ? content.timeMs : this.#clock.latestMs,
        after: this.#positionAt(nextRow, endByte, () => block.fingerprintAt(endByte)),
      };
      return true;
    }
    return false;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#blocks.return(undefined);
  }

  #reachEnd(end: TextEnd): void {
    this.heldBackBytes = end.heldBackBytes;
    this.#end = this.#positionAt(end.row, end.byte, () => end.fingerprint());
  }

  #isSent({ endByte }: Line, content: CursorRow['content']): boolean {
    const earlier = this.#options.position?.earlier ?? [];
    if (earlier.length === 0) return false;
    return isSent(earlier, endByte, content.kind === 'readings' ? content.timeMs : undefined);
  }

  #positionAt(row: number, byte: number, fingerprint: FilePosition['fingerprint']): FilePosition {
    const latestMs = this.#clock.latestMs;
    return {
      header: this.layout.headerText,
      ...{ row, byte, fingerprint },
      latestMs: Number.isFinite(latestMs) ? latestMs : null,
      earlier: this.#options.position?.earlier ?? [],
    };
  }

  /** A file that breaks off ends there; the others go on, and the failure is told at the end. */
  async #readBlock(): Promise<IteratorResult<LineBlock, TextEnd | undefined> | undefined> {
    try {
      return await this.#blocks.next();
    } catch (error) {
      if (!(error instanceof GridError)) throw error;
      this.#failure = error;
      return undefined;
    }
  }
}
