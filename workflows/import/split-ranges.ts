/** Splits from the first number to before the second. */
export type SplitRange = readonly [from: number, to: number];

/** Few enough activities for any number of splits, and little enough to repeat when one fails. */
const STRETCHES_PER_TABLE = 400;
const LONGEST_STRETCH = 50;

/** How many splits one activity brings to a snapshot. */
export function stretchSize(splits: number): number {
  return Math.min(LONGEST_STRETCH, Math.max(1, Math.ceil(splits / STRETCHES_PER_TABLE)));
}

/** `ranges` (sorted, apart from each other) and one more, as few as possible. */
export function withRange(ranges: readonly SplitRange[], [from, to]: SplitRange): readonly SplitRange[] {
  if (from >= to) return ranges;
  const apart = ranges.filter(([first, end]) => end < from || first > to);
  const touched = ranges.filter(([first, end]) => end >= from && first <= to);
  const joined: SplitRange = [
    Math.min(from, ...touched.map(([first]) => first)),
    Math.max(to, ...touched.map(([, end]) => end)),
  ];
  return [...apart, joined].sort((a, b) => a[0] - b[0]);
}

/** How many splits lie in ranges. */
export function splitsIn(ranges: readonly SplitRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + (to - from), 0);
}

/** The stretches of `size` splits that are not done yet. A stretch is done as a whole or not. */
export function remainingStretches(
  splits: number,
  size: number,
  done: readonly SplitRange[],
  parked: readonly number[],
): readonly SplitRange[] {
  const stretches: SplitRange[] = [];
  const isParked = new Set(parked);
  for (let from = 0; from < splits; from += size) {
    const to = Math.min(splits, from + size);
    if (done.some(([first, end]) => first <= from && end >= to)) continue;
    const left = Array.from({ length: to - from }, (_, at) => from + at).some((split) => !isParked.has(split));
    if (left) stretches.push([from, to]);
  }
  return stretches;
}
