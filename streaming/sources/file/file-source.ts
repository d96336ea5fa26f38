import { GridError } from '../../../grid/errors.ts';
import type { ProducedRecord } from '../../../connectors/kafka/produce/record-producer.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { recordBytes, type PacedSource, type Taken } from '../pacing/paced-source.ts';
import { FileCursor, type CursorRow } from './cursor.ts';
import type { Extent } from './extent.ts';
import type { Mapping } from './mapping.ts';
import type { FilePosition, ReplayPosition } from './position.ts';
import { PositionKeeper } from './position-keeper.ts';
import { toRecord, toUnorganized, type TimeRange } from './row-readings.ts';
import { withoutNeedless } from './sweeps.ts';
import type { TableLayout } from './table.ts';

export interface FileSourceOptions {
  readonly mapping: Mapping;
  /** Folder that the mapping's paths are relative to. */
  readonly directory: string;
  readonly readingsTopic: string;
  readonly unorganizedTopic: string;
  /** Series time per wall time; 0 for as fast as possible. */
  readonly speed: number;
  /** `original`: event times as recorded. `shifted`: the whole series moved, its spacing kept to the last digit. */
  readonly timestamps: 'original' | 'shifted';
  /** Only readings from then on, epoch milliseconds. */
  readonly fromMs?: number;
  /** Only readings before then. */
  readonly toMs?: number;
  /** Whether to begin again behind the end. */
  readonly loop: boolean;
  /** Where to keep the position; undefined to keep none. */
  readonly stateFile?: string;
  /** How far event times may lie ahead of the clock, milliseconds: beyond that readings would be rejected. */
  readonly maxAheadMs: number;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** Bad data beyond so many is only counted: a wrong mapping must not fill the log. */
const MOST_LOGGED_FAULTS = 20;

/** The files of a mapping as one source; see `openFileSource`. */
export class FileSource implements PacedSource {
  readonly name: string;
  readonly #options: FileSourceOptions;
  readonly #layouts: readonly TableLayout[];
  readonly #range: TimeRange;
  readonly #keeper: PositionKeeper;
  readonly #now: () => number;
  /** Length of one pass, whole seconds: event times of looped passes keep the digits of their fractions. */
  readonly #passSeconds: number;
  readonly #latestPlausibleMs: number;
  #cursors: FileCursor[] = [];
  /** Where this pass stands, but for its files. */
  #taken: ReplayPosition;
  /** How far each file was handed out. */
  readonly #files: Map<string, FilePosition>;
  #hasEnded = false;
  #failures: GridError[] = [];
  #badLogged = 0;

  constructor(
    options: FileSourceOptions,
    layouts: readonly TableLayout[],
    range: TimeRange,
    extent: Extent | undefined,
    position: ReplayPosition,
    now: () => number,
  ) {
    this.name = `file:${options.mapping.dataset}`;
    this.#options = options;
    this.#layouts = layouts;
    this.#range = range;
    this.#now = now;
    this.#passSeconds = extent === undefined ? 0 : Math.ceil((extent.lastMs - extent.firstMs + extent.stepMs) / 1_000);
    this.#latestPlausibleMs =
      options.timestamps === 'shifted' && extent !== undefined ? extent.lastMs : now() + options.maxAheadMs;
    this.#taken = { ...position, passedSeconds: position.passedSeconds ?? position.pass * this.#passSeconds };
    this.#files = new Map(position.files);
    const logger = options.logger.child({ source: this.name });
    this.#keeper = new PositionKeeper(options.stateFile, this.#taken, logger, now);
  }

  /** Opens the files where the position says. */
  async open(): Promise<void> {
    this.#cursors = this.#layouts.map((layout) => {
      const position = this.#files.get(layout.mapping.path);
      return new FileCursor({
        layout,
        ...(position === undefined ? {} : { position }),
        range: this.#range,
        latestPlausibleMs: this.#latestPlausibleMs,
        now: this.#now,
      });
    });
    await Promise.all(this.#cursors.map((cursor) => cursor.advance()));
  }

  /** Lets go of the files of a source that will not be used. */
  async abandon(): Promise<void> {
    await Promise.all(this.#cursors.map((cursor) => cursor.close()));
  }

  /** Schedule time of the next row; undefined at the end. */
  get nextDueMs(): number | undefined {
    const dues = this.#cursors.flatMap(({ next }) => (next === undefined ? [] : [next.dueMs]));
    if (dues.length === 0) return undefined;
    const finite = dues.filter((due) => Number.isFinite(due));
    return (finite.length === 0 ? this.#now() : Math.min(...finite)) + this.#scheduleShiftMs();
  }

  async take(untilMs: number, maxRecords: number): Promise<Taken> {
    const readings: ProducedRecord[] = [];
    const unorganized: ProducedRecord[] = [];
    const counts = { total: 0, readings: 0, missing: 0, malformed: 0 };
    const until = untilMs - this.#scheduleShiftMs();
    while (counts.total < maxRecords) {
      const cursor = this.#earliest();
      const row = cursor?.next;
      if (cursor === undefined || row === undefined || row.dueMs > until) break;
      this.#takeRow(cursor.layout, row, readings, unorganized, counts);
      this.#files.set(cursor.layout.mapping.path, row.after);
      if (!cursor.advanceBuffered()) await cursor.advance();
    }
    if (counts.total === 0) return this.#nothingDue();
    const position = { ...this.#taken, files: new Map(this.#files) };
    return {
      kind: 'batch',
      batch: {
        sends: [
          { topic: this.#options.readingsTopic, records: readings },
          { topic: this.#options.unorganizedTopic, records: unorganized },
        ].filter(({ records }) => records.length > 0),
        bytes: [...readings, ...unorganized].reduce((sum, record) => sum + recordBytes(record), 0),
        counts,
        onAcknowledged: () => {
          this.#keeper.acknowledge(position);
        },
      },
    };
  }

  async close(): Promise<void> {
    for (const cursor of this.#cursors) await this.#closeCursor(cursor);
    this.#cursors = [];
    await this.#keeper.close();
    const [failure, ...others] = this.#failures;
    if (failure === undefined) return;
    throw others.length === 0
      ? failure
      : new GridError(failure.code, [failure, ...others].map(({ message }) => message).join(' '), { cause: failure });
  }

  /** At the end of a pass: the next pass, or the end. The position behind all that the files held counts once all was acknowledged. */
  async #nothingDue(): Promise<Taken> {
    const dueMs = this.nextDueMs;
    if (dueMs !== undefined) return { kind: 'not-yet', dueMs };
    if (this.#hasEnded) return { kind: 'finished' };
    for (const cursor of this.#cursors) {
      // Behind rows that were passed over too, so that they are not looked at again.
      if (cursor.end !== undefined) {
        this.#files.set(cursor.layout.mapping.path, withoutNeedless(cursor.end, this.#range));
      }
      await this.#closeCursor(cursor);
    }
    this.#cursors = [];
    this.#hasEnded = !this.#options.loop || this.#failures.length > 0;
    if (!this.#hasEnded) {
      const { pass, passedSeconds = 0 } = this.#taken;
      this.#taken = { ...this.#taken, pass: pass + 1, passedSeconds: passedSeconds + this.#passSeconds };
      this.#files.clear();
    }
    const position = { ...this.#taken, files: new Map(this.#files) };
    if (!this.#hasEnded) await this.open();
    // An empty batch carries the position through the queue of acknowledgements.
    return {
      kind: 'batch',
      batch: {
        sends: [],
        bytes: 0,
        counts: { total: 0 },
        onAcknowledged: () => {
          this.#keeper.acknowledge(position);
        },
      },
    };
  }

  /** There are few files, so looking at each costs less than keeping a heap. */
  #earliest(): FileCursor | undefined {
    let earliest: FileCursor | undefined;
    let earliestMs = Infinity;
    for (const cursor of this.#cursors) {
      if (cursor.next !== undefined && cursor.next.dueMs < earliestMs) {
        earliest = cursor;
        earliestMs = cursor.next.dueMs;
      }
    }
    return earliest;
  }

  #takeRow(
    layout: TableLayout,
    { row, content }: CursorRow,
    readings: ProducedRecord[],
    unorganized: ProducedRecord[],
    counts: { total: number; readings: number; missing: number; malformed: number },
  ): void {
    const bad = content.kind === 'bad' ? [content.bad] : content.bad;
    for (const fault of bad) {
      const records = toUnorganized(layout, fault);
      unorganized.push(...records);
      counts.malformed += 1;
      counts.total += records.length;
      this.#logBad(layout, fault);
    }
    if (content.kind === 'bad') return;
    const time = { ...content.time, epochSeconds: content.time.epochSeconds + this.#eventShiftSeconds() };
    for (const cell of content.cells) readings.push(toRecord(this.#options.mapping.dataset, layout, row, cell, time));
    counts.readings += content.cells.length;
    counts.total += content.cells.length;
    counts.missing += content.missing;
  }

  #logBad(layout: TableLayout, fault: { row: number; column: string; detail: string }): void {
    this.#badLogged += 1;
    if (this.#badLogged > MOST_LOGGED_FAULTS) return;
    this.#options.logger.warn(
      { source: this.name, code: 'malformed-source-data', file: layout.mapping.path, ...fault },
      this.#badLogged === MOST_LOGGED_FAULTS
        ? 'cannot be made into a reading; kept as unorganized text (further ones are only counted)'
        : 'cannot be made into a reading; kept as unorganized text',
    );
  }

  #eventShiftSeconds(): number {
    return this.#options.timestamps === 'original' ? 0 : this.#taken.shiftSeconds + (this.#taken.passedSeconds ?? 0);
  }

  #scheduleShiftMs(): number {
    return (this.#taken.shiftSeconds + (this.#taken.passedSeconds ?? 0)) * 1_000;
  }

  async #closeCursor(cursor: FileCursor): Promise<void> {
    if (cursor.failure !== undefined) this.#failures.push(cursor.failure);
    const about = { source: this.name, file: cursor.layout.mapping.path };
    if (cursor.outOfOrder > 0 || cursor.passedOver > 0) {
      this.#options.logger.info(
        { ...about, rowsOutOfOrder: cursor.outOfOrder, rowsPassedOver: cursor.passedOver },
        'file read',
      );
    }
    if (cursor.heldBackBytes > 0) {
      this.#options.logger.warn(
        { ...about, bytes: cursor.heldBackBytes },
        'the last line of the file has no line break and may still be written: it is held back, and sent by a later run once it is ended or the file was left alone for a day. If it is whole, set "lastLine": "complete" in the mapping',
      );
    }
    await cursor.close();
  }
}
