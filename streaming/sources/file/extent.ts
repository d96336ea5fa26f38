import { stat } from 'node:fs/promises';
import { readLines } from './lines.ts';
import { ALL_TIMES, readRow } from './row-readings.ts';
import { SeriesClock } from './series-time.ts';
import type { TableLayout } from './table.ts';
import { isCompressed } from './text-input.ts';

/** From when to when the series of some files reach, epoch milliseconds. */
export interface Extent {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Time between two neighbouring rows, as far as the ends of the files tell: how long the last one lasts. */
  readonly stepMs: number;
}

const FIRST_TAIL_BYTES = 1 << 20;

/**
 * The extent of files that are in the order of time: the first times from their beginnings, the last ones from their ends. Compressed
 * files have to be read as a whole for that.
 */
export async function seriesExtent(layouts: readonly TableLayout[], now: () => number): Promise<Extent | undefined> {
  let firstMs = Infinity;
  let lastMs = -Infinity;
  let stepMs = Infinity;
  for (const layout of layouts) {
    const head = await timesOf(layout, now, layout.dataStart, 1);
    const tail = await tailTimes(layout, now);
    firstMs = Math.min(firstMs, head.firstMs);
    lastMs = Math.max(lastMs, tail.lastMs);
    stepMs = Math.min(stepMs, tail.stepMs);
  }
  if (!Number.isFinite(firstMs) || !Number.isFinite(lastMs)) return undefined;
  return { firstMs, lastMs, stepMs: Number.isFinite(stepMs) ? stepMs : 1_000 };
}

interface Times {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly stepMs: number;
}

async function tailTimes(layout: TableLayout, now: () => number): Promise<Times> {
  const { size } = await stat(layout.path);
  const start = layout.dataStart;
  if (isCompressed(layout.path)) return timesOf(layout, now, start);
  for (let bytes = FIRST_TAIL_BYTES; ; bytes *= 4) {
    const from = Math.max(start.byte, size - bytes);
    // Whatever line it lands in is cut off, so it will not be read as a row.
    const times = await timesOf(layout, now, { byte: from, row: start.row });
    if (Number.isFinite(times.stepMs) || from === start.byte) return times;
  }
}

/** The times of the rows from a place on, at most so many of them. */
async function timesOf(
  layout: TableLayout,
  now: () => number,
  start: { byte: number; row: number },
  most = Infinity,
): Promise<Times> {
  const clock = new SeriesClock(layout.mapping.time);
  let firstMs = Infinity;
  let lastMs = -Infinity;
  let stepMs = Infinity;
  let rows = 0;
  const { path, mapping } = layout;
  for await (const { lines } of readLines({
    path,
    encoding: mapping.encoding,
    lastLine: mapping.lastLine,
    now,
    start,
  })) {
    for (const line of lines) {
      const content = readRow(line, layout, clock, ALL_TIMES);
      if (content.kind !== 'readings') continue;
      if (content.timeMs > lastMs && Number.isFinite(lastMs)) stepMs = content.timeMs - lastMs;
      firstMs = Math.min(firstMs, content.timeMs);
      lastMs = Math.max(lastMs, content.timeMs);
      rows += 1;
      if (rows >= most) return { firstMs, lastMs, stepMs };
    }
  }
  return { firstMs, lastMs, stepMs };
}
