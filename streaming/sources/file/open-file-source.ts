import { GridError } from '../../../grid/errors.ts';
import type { PacedSource } from '../pacing/paced-source.ts';
import { seriesExtent, type Extent } from './extent.ts';
import { FileCursor } from './cursor.ts';
import { FileSource, type FileSourceOptions } from './file-source.ts';
import type { FilePosition, ReplayPosition } from './position.ts';
import { restorePosition } from './restore-position.ts';
import { ALL_TIMES, type TimeRange } from './row-readings.ts';
import { readLayout, type TableLayout } from './table.ts';

/** Where the schedule of an opened source stands. */
export interface OpenedFileSource {
  readonly source: PacedSource;
  /** Moment of the schedule that lines up with now. */
  readonly startMs: number;
  /** Moment at which it really stands; what lies between is caught up. */
  readonly fromMs: number;
}

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
    throw refused(
      mapping.dataset,
      `shifted time stamps in an endless loop at ${speed === 0 ? 'full speed' : `speed ${speed}`} would run ahead of the clock for ever. Set FILE_SOURCE_SPEED to 1 or less, FILE_SOURCE_TIMESTAMPS=original, or FILE_SOURCE_LOOP=false.`,
    );
  }
  const layouts = await Promise.all(mapping.files.map((file) => readLayout(options.directory, file)));
  const range: TimeRange = { fromMs: options.fromMs ?? -Infinity, toMs: options.toMs ?? Infinity };
  const whole = timestamps === 'shifted' || loop ? await seriesExtent(layouts, now) : undefined;
  const extent = whole === undefined ? undefined : clamp(whole, range);
  if (extent === undefined && (timestamps === 'shifted' || loop)) {
    throw refused(
      mapping.dataset,
      'no row of its files lies in the range asked for. Correct FILE_SOURCE_FROM and FILE_SOURCE_TO, or the mapping.',
    );
  }
  const restored = await restoredPosition(options, range, layouts);
  const position = restored ?? {
    ...{
      dataset: mapping.dataset,
      timestamps,
      pass: 0,
      passedSeconds: 0,
      range,
      files: new Map(),
      isUnboundedEnd: false,
    },
    shiftSeconds: extent === undefined ? 0 : shiftSeconds(extent, speed, timestamps, now()),
  };
  const source = new FileSource(options, layouts, range, extent, position, now);
  await source.open();
  const dueMs = source.nextDueMs;
  if (restored !== undefined && dueMs === undefined && !loop) {
    options.logger.info(
      { source: source.name, stateFile: options.stateFile },
      'all of it was replayed before; delete the state file to replay it again',
    );
  }
  if (restored !== undefined && dueMs !== undefined && extent !== undefined) {
    const fault = aheadFault(options, extent.lastMs + restored.shiftSeconds * 1_000, dueMs, now());
    if (fault !== undefined) {
      await source.abandon();
      throw refused(mapping.dataset, fault);
    }
  }
  const firstMs = dueMs ?? now();
  // At true speed the series lines up with the clock, so after a pause it catches up; otherwise it goes on from where it was.
  const startMs = timestamps === 'shifted' && speed === 1 ? now() : firstMs;
  return { source, startMs, fromMs: firstMs };
}

/** The position to go on from, if there is one; one of an ended replay whose ends were not kept gets those of the files as they are. */
async function restoredPosition(
  options: FileSourceOptions,
  range: TimeRange,
  layouts: readonly TableLayout[],
): Promise<ReplayPosition | undefined> {
  const { stateFile, mapping, timestamps, logger } = options;
  if (stateFile === undefined) return undefined;
  const position = await restorePosition(stateFile, { dataset: mapping.dataset, timestamps, range, layouts });
  if (position?.isUnboundedEnd !== true) return position;
  logger.warn(
    { stateFile },
    'the position says that all was replayed, but is from a version that did not keep how far the files reached then: all that they hold now counts as replayed. Delete the state file to replay it again',
  );
  const files = new Map(position.files);
  const latestPlausibleMs = timestamps === 'shifted' ? Infinity : (options.now ?? Date.now)() + options.maxAheadMs;
  for (const layout of layouts) files.set(layout.mapping.path, await endOfFile(layout, latestPlausibleMs));
  return { ...position, files, isUnboundedEnd: false };
}

/** The position behind all that a file holds. */
async function endOfFile(layout: TableLayout, latestPlausibleMs: number): Promise<FilePosition> {
  const cursor = new FileCursor({ layout, range: ALL_TIMES, latestPlausibleMs });
  try {
    do await cursor.advance();
    while (cursor.next !== undefined);
    if (cursor.end === undefined) throw cursor.failure ?? refused(layout.path, 'it has no end.');
    return cursor.end;
  } finally {
    await cursor.close();
  }
}

/**
 * Why a series that was begun with a shift cannot go on with it: rows that came later, or a longer range, would be ahead of the clock.
 *
 * @param endMs its last event time, shifted
 */
function aheadFault(
  { timestamps, speed, maxAheadMs }: FileSourceOptions,
  endMs: number,
  nextMs: number,
  nowMs: number,
): string | undefined {
  if (timestamps === 'original' || (speed > 0 && speed <= 1)) return undefined;
  const endsAtMs = nowMs + (speed === 0 ? 0 : Math.max(0, endMs - nextMs) / speed);
  const aheadMs = endMs - endsAtMs;
  if (aheadMs <= maxAheadMs) return undefined;
  return `it has become longer since it was begun, and with the shift of then it would end ${Math.round(aheadMs / 1_000)} s ahead of the clock, where readings are rejected. Set FILE_SOURCE_SPEED=1 to go on as time passes, or delete the state file to replay all with a new shift.`;
}

function refused(dataset: string, fault: string): GridError {
  return new GridError('invalid-configuration', `Opening the file source ${dataset}: ${fault}`);
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

function clamp(extent: Extent, { fromMs, toMs }: TimeRange): Extent | undefined {
  const firstMs = Math.max(extent.firstMs, fromMs);
  const lastMs = Math.min(extent.lastMs, toMs - extent.stepMs);
  return firstMs > lastMs ? undefined : { ...extent, firstMs, lastMs };
}
