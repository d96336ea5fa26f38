// @ts-check

/**
 * How old a value is, against how often its sensor reports: as /api/sensors/{sensorId}/latest judges it (serving/merge/cadence.ts), so that a table of sensors can be
 * judged each second without asking.
 *
 * @typedef {'fresh' | 'late' | 'stale' | 'unknown'} Staleness
 */

export const LATE = 3;
export const STALE = 10;
const GRACE_MS = 5_000;

/**
 * @param {readonly { startMs: number, count: number }[]} windows by time, the last one left out if it may still be filling
 * @returns {number | undefined}
 */
export function cadenceMs(windows) {
  /** @type {number[]} */
  const times = [];
  for (let at = 1; at < windows.length; at++) {
    const [before, after] = [windows[at - 1], windows[at]];
    if (before !== undefined && after !== undefined && before.count > 0)
      times.push((after.startMs - before.startMs) / before.count);
  }
  if (times.length < 2) return undefined;
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

/**
 * @param {number} ageMs
 * @param {number | undefined} cadence
 * @returns {Staleness}
 */
export function staleness(ageMs, cadence) {
  if (cadence === undefined) return 'unknown';
  if (ageMs <= Math.max(LATE * cadence, GRACE_MS)) return 'fresh';
  return ageMs <= Math.max(STALE * cadence, 2 * GRACE_MS) ? 'late' : 'stale';
}

/** @type {Readonly<Record<Staleness, 'good' | 'warn' | 'bad' | ''>>} */
export const TONES = { fresh: 'good', late: 'warn', stale: 'bad', unknown: '' };
