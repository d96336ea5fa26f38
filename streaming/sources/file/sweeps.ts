import type { FilePosition, Sweep } from './position.ts';
import type { TimeRange } from './row-readings.ts';

/**
 * Rows of a file are known to be sent by where they stand and when they were measured: up to a place, those of a range. When the range of
 * a replay changes, what it was counts as an earlier sweep and the file is gone through once more, for those rows only that no
 * earlier sweep has sent; in files that are not in the order of time they lie anywhere.
 */
export function isSent(earlier: readonly Sweep[], endByte: number, timeMs: number | undefined): boolean {
  return earlier.some(
    ({ byte, range }) => endByte <= byte && (timeMs === undefined || (range.fromMs <= timeMs && timeMs < range.toMs)),
  );
}

/** A position as the beginning of another sweep, in another range. */
export function sweepAgain(file: FilePosition, range: TimeRange): FilePosition {
  const { header, byte, fingerprint, earlier } = file;
  return {
    ...{ header, row: 1, byte: 0, latestMs: null },
    fingerprint: () => null,
    earlier: withoutCovered([...earlier, { range, byte, fingerprint }]),
  };
}

/** Without the sweeps that another one covers, the current one included. */
export function withoutNeedless(file: FilePosition, range: TimeRange): FilePosition {
  const earlier = file.earlier.filter((sweep) => !covers({ range, byte: file.byte }, sweep));
  return earlier.length === file.earlier.length ? file : { ...file, earlier };
}

function withoutCovered(sweeps: readonly Sweep[]): Sweep[] {
  return sweeps.filter(
    (sweep, index) =>
      !sweeps.some((other, at) => at !== index && covers(other, sweep) && (at > index || !covers(sweep, other))),
  );
}

function covers(one: Pick<Sweep, 'range' | 'byte'>, other: Pick<Sweep, 'range' | 'byte'>): boolean {
  return one.byte >= other.byte && one.range.fromMs <= other.range.fromMs && one.range.toMs >= other.range.toMs;
}
