// @ts-check

/**
 * A window of /api/sensors/{sensorId}/series, with what a chart needs of it as numbers.
 *
 * @typedef {object} Window
 * @property {number} startMs
 * @property {number} endMs
 * @property {'provisional' | 'final' | 'corrected'} state
 * @property {'batch' | 'speed' | 'both'} part
 * @property {number} count
 * @property {number} speedCount
 * @property {string | null} mean exact
 * @property {string | null} min
 * @property {string | null} max
 * @property {string | null} energy
 * @property {string} unit
 *
 * Columns of a chart, one row for each window that the time holds, whether there are readings in it or not: what is missing is null, and stays a gap.
 *
 * @typedef {object} SeriesColumns
 * @property {number[]} x middle of the window, epoch seconds
 * @property {(Window | undefined)[]} windows
 * @property {(number | null)[]} max
 * @property {(number | null)[]} min
 * @property {(number | null)[]} settled means of windows to which nothing comes any more
 * @property {(number | null)[]} provisional means of the others, and of the one before them, so that the line goes on
 * @property {(number | null)[]} forecast
 * @property {(number | null)[]} count
 * @property {(number | null)[]} batchCount
 */

export const LENGTHS_MS = /** @type {const} */ ({ minute: 60_000, hour: 3_600_000, day: 86_400_000 });
/** @typedef {keyof typeof LENGTHS_MS} Resolution */

/** More points than this only make a chart slow: several to a pixel. */
const MOST_POINTS = 1_500;

/**
 * The finest resolution that a chart can still show.
 *
 * @param {number} spanMs
 * @returns {Resolution}
 */
export function resolutionFor(spanMs) {
  if (spanMs / LENGTHS_MS.minute <= MOST_POINTS) return 'minute';
  return spanMs / LENGTHS_MS.hour <= MOST_POINTS ? 'hour' : 'day';
}

/**
 * @param {any[]} windows of an answer, of one unit
 * @returns {Window[]}
 */
export function windowsOf(windows) {
  return windows.map((window) => ({ ...window, startMs: Date.parse(window.start), endMs: Date.parse(window.end) }));
}

/**
 * @param {readonly Window[]} measured
 * @param {readonly Window[]} forecasts
 * @param {{ fromMs: number, toMs: number, lengthMs: number }} time
 * @returns {SeriesColumns}
 */
export function columnsOf(measured, forecasts, { fromMs, toMs, lengthMs }) {
  const first = Math.floor(fromMs / lengthMs);
  const rows = Math.max(0, Math.ceil(toMs / lengthMs) - first);
  const empty = () => /** @type {(number | null)[]} */ (new Array(rows).fill(null));
  /** @type {SeriesColumns} */
  const columns = {
    x: Array.from({ length: rows }, (_, at) => ((first + at + 0.5) * lengthMs) / 1_000),
    windows: new Array(rows).fill(undefined),
    ...{ max: empty(), min: empty(), settled: empty(), provisional: empty() },
    ...{ forecast: empty(), count: empty(), batchCount: empty() },
  };
  for (const window of measured) {
    const at = window.startMs / lengthMs - first;
    if (at < 0 || at >= rows || !Number.isInteger(at)) continue;
    columns.windows[at] = window;
    columns.count[at] = window.count;
    columns.batchCount[at] = window.count - window.speedCount;
    if (window.mean === null) continue;
    columns.max[at] = Number(window.max);
    columns.min[at] = Number(window.min);
    const mean = Number(window.mean);
    if (window.state !== 'provisional') columns.settled[at] = mean;
    else {
      columns.provisional[at] = mean;
      const before = columns.settled[at - 1];
      if (before !== null && before !== undefined) columns.provisional[at - 1] = before;
    }
  }
  for (const { startMs, mean } of forecasts) {
    const at = startMs / lengthMs - first;
    if (at >= 0 && at < rows && Number.isInteger(at) && mean !== null) columns.forecast[at] = Number(mean);
  }
  return columns;
}

/**
 * Stretches of windows that are alike, as epoch seconds.
 *
 * @param {readonly (Window | undefined)[]} windows
 * @param {(window: Window) => string | undefined} kindOf undefined: of no kind
 * @returns {{ kind: string, from: number, to: number }[]}
 */
export function stretches(windows, kindOf) {
  /** @type {{ kind: string, from: number, to: number }[]} */
  const found = [];
  for (const window of windows) {
    const kind = window === undefined ? undefined : kindOf(window);
    if (window === undefined || kind === undefined) continue;
    const last = found.at(-1);
    if (last?.kind === kind && last.to === window.startMs / 1_000) last.to = window.endMs / 1_000;
    else found.push({ kind, from: window.startMs / 1_000, to: window.endMs / 1_000 });
  }
  return found;
}

/**
 * Where the speed layer takes over from the batch view, epoch seconds; undefined where only one of them is in view.
 *
 * @param {readonly (Window | undefined)[]} windows
 */
export function seamOf(windows) {
  let hasBatch = false;
  for (const window of windows) {
    if (window === undefined) continue;
    if (window.part !== 'batch' && hasBatch) return window.startMs / 1_000;
    if (window.part === 'batch') hasBatch = true;
    // It lies within this very window.
    else if (window.part === 'both') return (window.startMs + window.endMs) / 2_000;
  }
  return undefined;
}
