/** How old a newest value is, against how often its sensor reports. */
export interface Staleness {
  /** Mean time between readings of late, ms; undefined when there were too few to tell. */
  readonly cadenceMs: number | undefined;
  /** `fresh`, `late` beyond {@link LATE} times the cadence, `stale` beyond {@link STALE} times; `unknown` without a cadence. */
  readonly state: 'fresh' | 'late' | 'stale' | 'unknown';
}

export const LATE = 3;
export const STALE = 10;
/** Networks and windows take their time: a sensor of ten readings a second is not late after 300 ms. */
const GRACE_MS = 5_000;
const FEWEST_WINDOWS = 2;

/**
 * How often a sensor reports, by the readings in its windows: the middle one of the times between windows, each shared by the readings of the
 * former. So neither a gap nor a burst tells much.
 *
 * @param windows by time, the last one left out if it may still be filling
 */
export function cadenceMs(
  windows: readonly { readonly startMs: number; readonly count: number }[],
): number | undefined {
  const times: number[] = [];
  for (let at = 1; at < windows.length; at++) {
    const [before, after] = [windows[at - 1], windows[at]];
    if (before !== undefined && after !== undefined && before.count > 0) {
      times.push((after.startMs - before.startMs) / before.count);
    }
  }
  if (times.length < FEWEST_WINDOWS) return undefined;
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

export function staleness(ageMs: number, cadence: number | undefined): Staleness {
  if (cadence === undefined) return { cadenceMs: undefined, state: 'unknown' };
  const state =
    ageMs <= Math.max(LATE * cadence, GRACE_MS)
      ? 'fresh'
      : ageMs <= Math.max(STALE * cadence, 2 * GRACE_MS)
        ? 'late'
        : 'stale';
  return { cadenceMs: Math.round(cadence), state };
}
