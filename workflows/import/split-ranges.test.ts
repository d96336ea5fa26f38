import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { remainingStretches, splitsIn, stretchSize, withRange, type SplitRange } from './split-ranges.ts';

describe('stretches of splits', () => {
  it('are one split while there are few, and never more than 50', () => {
    expect([1, 400, 401, 10_000, 20_000, 1_000_000].map(stretchSize)).toEqual([1, 1, 2, 25, 50, 50]);
  });

  it('leave out what is done, and those of which every split is parked', () => {
    expect(remainingStretches(10, 3, [[0, 3]], [9])).toEqual([
      [3, 6],
      [6, 9],
    ]);
    expect(remainingStretches(10, 3, [], [3, 4])).toContainEqual([3, 6]);
    expect(remainingStretches(0, 1, [], [])).toEqual([]);
  });

  it('cover every split exactly once, in whatever order they are done', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer(),
        (splits, size, seed) => {
          let done: readonly SplitRange[] = [];
          let left = remainingStretches(splits, size, done, []);
          let count = 0;
          while (left.length > 0) {
            const next = left[Math.abs(seed) % left.length];
            if (next === undefined) throw new Error('there is none');
            count += next[1] - next[0];
            done = withRange(done, next);
            left = remainingStretches(splits, size, done, []);
          }
          expect(count).toBe(splits);
          expect(splitsIn(done)).toBe(splits);
          expect(done.length).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
