import { GridError } from '../../../grid/errors.ts';
import type { ProducedRecord } from '../../../connectors/kafka/record-producer.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { recordBytes, type PacedSource, type Taken } from '../pacing/paced-source.ts';
import { FileCursor, type CursorRow } from './cursor.ts';
import { seriesExtent, type Extent } from './extent.ts';
import type { Mapping } from './mapping.ts';
import { savePosition, type ReplayPosition } from './position.ts';
import { restorePosition } from './restore-position.ts';
import { toRecord, toUnorganized } from './row-readings.ts';
import { readLayout, type TableLayout } from './table.ts';

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

/** Where the schedule of an opened source stands. */
export interface OpenedFileSource {
  readonly source: PacedSource;
  /** Moment of the schedule that lines up with now. */
  readonly startMs: number;
  /** Moment at which it really stands; what lies between is caught up. */
  readonly fromMs: number;
}

const SAVE_EVERY_MS = 1_000;
/** Bad data beyond so many is only counted: a wrong mapping must not fill the log. */
const MOST_LOGGED_FAULTS = 20;

/**
 * Opens the files of a mapping as one source: their rows merged by time, each row's cells as readings.
 *
 * The schedule is the (shifted) event time; with `loop` it goes on behind the end, so a further pass of original time stamps
 * has a later schedule but the same event times, ids and bytes.
 *
 * @throws GridError `invalid-configuration` when files, mapping, state file and options do not fit together,
 *   `source-unavailable` when a file cannot be read.
 */
export async function openFileSource(options: FileSourceOptions): Promise<OpenedFileSource> {
  const now = options.now ?? Date.now;
  const { timestamps, speed, loop, mapping } = options;
  if (timestamps === 'shifted' && loop && (speed === 0 || speed > 1)) {
    throw new GridError(
      'invalid-configuration',
      `Opening the file source ${mapping.dataset}: shifted time stamps in an endless loop at ${speed === 0 ? 'full speed' : `speed ${speed}`} would run ahead of the clock for ever. Set FILE_SOURCE_SPEED to 1 or less, FILE_SOURCE_TIMESTAMPS=original, or FILE_SOURCE_LOOP=false.`,
    );
  }
  const layouts = await Promise.all(mapping.files.map((file) => readLayout(options.directory, file)));
  const extent = timestamps === 'shifted' || loop ? clamp(await seriesExtent(layouts), options) : undefined;
  if (extent === undefined && (timestamps === 'shifted' || loop)) {
    throw new GridError(
      'invalid-configuration',
      `Opening the file source ${mapping.dataset}: no row of its files lies in the range asked for. Correct FILE_SOURCE_FROM and FILE_SOURCE_TO, or the mapping.`,
    );
  }
  const position =
    (await restorePosition(options.stateFile, { dataset: mapping.dataset, timestamps, layouts })) ??
    initialPosition(
      mapping.dataset,
      timestamps,
      extent === undefined ? 0 : shiftSeconds(extent, speed, timestamps, now()),
    );
  const source = new FileSource(options, layouts, extent, position, now);
  await source.open();
  const firstMs = source.nextDueMs ?? now();
  // At true speed the series lines up with the clock, so after a pause it catches up; otherwise it goes on from where it was.
  const startMs = timestamps === 'shifted' && speed === 1 ? now() : firstMs;
  return { source, startMs, fromMs: firstMs };
}

/**
 * How far a series is moved: at up to true speed its start lines up with now. Faster, it would run ahead of the clock, so its end lines up
 * with the moment at which it will have been replayed.
 */
function shiftSeconds(extent: Extent, speed: number, timestamps: 'original' | 'shifted', nowMs: number): number {
  if (timestamps === 'original') return 0;
  if (speed > 0 && speed <= 1) return Math.ceil((nowMs - extent.firstMs) / 1_000);
  const durationMs = speed === 0 ? 0 : (extent.lastMs - extent.firstMs) / speed;
  return Math.floor((nowMs + durationMs - extent.lastMs) / 1_000);
}

function clamp(extent: Extent | undefined, { fromMs, toMs }: FileSourceOptions): Extent | undefined {
  if (extent === undefined) return undefined;
  const firstMs = Math.max(extent.firstMs, fromMs ?? -Infinity);
  const lastMs = toMs === undefined ? extent.lastMs : Math.min(extent.lastMs, toMs - extent.stepMs);
  return firstMs > lastMs ? undefined : { ...extent, firstMs, lastMs };
}

function initialPosition(dataset: string, timestamps: 'original' | 'shifted', shift: number): ReplayPosition {
  return { version: 1, dataset, timestamps, shiftSeconds: shift, pass: 0, complete: false, files: {} };
}

/** See {@link openFileSource}. */
class FileSource implements PacedSource {
  readonly name: string;
  readonly #options: FileSourceOptions;
  readonly #layouts: readonly TableLayout[];
  readonly #now: () => number;
  /** Length of one pass, whole seconds: event times of looped passes keep the digits of their fractions. */
  readonly #passSeconds: number;
  readonly #latestPlausibleMs: number;
  #cursors: FileCursor[] = [];
  /** Where this pass stands, but for its files. */
  #taken: ReplayPosition;
  /** How far each file was handed out. */
  #files: Map<string, ReplayPosition['files'][string]>;
  #acknowledged: ReplayPosition;
  #savedAtMs = 0;
  #saving: Promise<void> | undefined;
  #failures: GridError[] = [];
  #badLogged = 0;

  constructor(
    options: FileSourceOptions,
    layouts: readonly TableLayout[],
    extent: Extent | undefined,
    position: ReplayPosition,
    now: () => number,
  ) {
    this.name = `file:${options.mapping.dataset}`;
    this.#options = options;
    this.#layouts = layouts;
    this.#now = now;
    this.#passSeconds = extent === undefined ? 0 : Math.ceil((extent.lastMs - extent.firstMs + extent.stepMs) / 1_000);
    this.#latestPlausibleMs =
      options.timestamps === 'shifted' && extent !== undefined ? extent.lastMs : now() + options.maxAheadMs;
    this.#taken = position;
    this.#files = new Map(Object.entries(position.files));
    this.#acknowledged = position;
  }

  async open(): Promise<void> {
    if (this.#taken.complete) {
      this.#options.logger.info(
        { source: this.name, stateFile: this.#options.stateFile },
        'all of it was replayed before; delete the state file to replay it again',
      );
      return;
    }
    await this.#openPass();
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
      this.#files.set(cursor.layout.mapping.path, { ...row.after, header: cursor.layout.headerText });
      if (!cursor.advanceBuffered()) await cursor.advance();
    }
    if (counts.total === 0) return this.#nothingDue();
    const position = { ...this.#taken, files: Object.fromEntries(this.#files) };
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
          this.#acknowledge(position);
        },
      },
    };
  }

  async close(): Promise<void> {
    for (const cursor of this.#cursors) await this.#closeCursor(cursor);
    this.#cursors = [];
    await this.#saving;
    const { stateFile } = this.#options;
    if (stateFile !== undefined) await savePosition(stateFile, this.#acknowledged);
    const [failure, ...others] = this.#failures;
    if (failure === undefined) return;
    throw others.length === 0
      ? failure
      : new GridError(failure.code, [failure, ...others].map(({ message }) => message).join(' '), { cause: failure });
  }

  /** At the end of a pass: the next pass, or the end. A position that says `complete` counts once all was acknowledged. */
  async #nothingDue(): Promise<Taken> {
    const dueMs = this.nextDueMs;
    if (dueMs !== undefined) return { kind: 'not-yet', dueMs };
    if (this.#taken.complete) return { kind: 'finished' };
    for (const cursor of this.#cursors) await this.#closeCursor(cursor);
    this.#cursors = [];
    const again = this.#options.loop && this.#failures.length === 0;
    this.#taken = { ...this.#taken, pass: this.#taken.pass + 1, files: {}, complete: !again };
    this.#files.clear();
    const position = this.#taken;
    if (again) await this.#openPass();
    // An empty batch carries the position through the queue of acknowledgements.
    return {
      kind: 'batch',
      batch: {
        sends: [],
        bytes: 0,
        counts: { total: 0 },
        onAcknowledged: () => {
          if (this.#failures.length === 0) this.#acknowledge(position);
        },
      },
    };
  }

  async #openPass(): Promise<void> {
    this.#cursors = this.#layouts.map((layout) => {
      const position = this.#files.get(layout.mapping.path);
      return new FileCursor({
        layout,
        ...(position === undefined ? {} : { position }),
        range: { fromMs: this.#options.fromMs ?? -Infinity, toMs: this.#options.toMs ?? Infinity },
        latestPlausibleMs: this.#latestPlausibleMs,
      });
    });
    await Promise.all(this.#cursors.map((cursor) => cursor.advance()));
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
    return this.#options.timestamps === 'original'
      ? 0
      : this.#taken.shiftSeconds + this.#taken.pass * this.#passSeconds;
  }

  #scheduleShiftMs(): number {
    return (this.#taken.shiftSeconds + this.#taken.pass * this.#passSeconds) * 1_000;
  }

  #acknowledge(position: ReplayPosition): void {
    this.#acknowledged = position;
    const { stateFile } = this.#options;
    const nowMs = this.#now();
    if (stateFile === undefined || this.#saving !== undefined || nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = nowMs;
    this.#saving = savePosition(stateFile, position)
      .catch((error: unknown) => {
        // Tried again with the next acknowledgement; if it never succeeds, close() fails with it.
        this.#options.logger.error({ source: this.name, err: error }, 'the position could not be saved');
      })
      .finally(() => {
        this.#saving = undefined;
      });
  }

  async #closeCursor(cursor: FileCursor): Promise<void> {
    if (cursor.failure !== undefined) this.#failures.push(cursor.failure);
    if (cursor.outOfOrder > 0 || cursor.outOfRange > 0) {
      this.#options.logger.info(
        {
          source: this.name,
          file: cursor.layout.mapping.path,
          rowsOutOfOrder: cursor.outOfOrder,
          rowsOutOfRange: cursor.outOfRange,
        },
        'file read',
      );
    }
    await cursor.close();
  }
}
