import { expect, it } from 'vitest';
import { stretchStanding } from './stretch-standing.ts';

const table = { schema: 'public', name: 'loads' };
const snapshot = { id: '1', position: '1', takenAt: '2026-03-01T00:00:00Z' };
type Args = Parameters<typeof stretchStanding>;
const stretch = { run: {}, table, from: 0, to: 4, skip: [1], snapshot } as unknown as Args[0];
const plan = { estimatedRows: 4_000, estimatedBytes: 400_000, splits: [{}, {}, {}, {}] };
const records = (done: readonly number[]): Args[2] => ({
  done: (split) =>
    done.includes(split) ? ({ rows: 1_000, textBytes: 50_000 } as ReturnType<Args[2]['done']>) : undefined,
  isDoneAt: (split) => done.includes(split),
});

it('counts the rows of a split that is being copied by its bytes, at most as many as it has', () => {
  const copying = (textBytes: number): Args[3] => ({ snapshot, copying: { split: 2, textBytes } });
  expect(stretchStanding(stretch, plan, records([]), copying(50_000))).toEqual({
    ...{ table, splitsDone: 0, rows: 500, textBytes: 50_000 },
  });
  // Splits that are done say how long a row is.
  expect(stretchStanding(stretch, plan, records([0]), copying(25_000))).toEqual({
    ...{ table, splitsDone: 1, rows: 1_500, textBytes: 75_000 },
  });
  expect(stretchStanding(stretch, plan, records([0]), copying(9_000_000)).rows).toBe(2_000);
});

it('leaves out parked splits, and counts nothing before a reader has its snapshot', () => {
  expect(stretchStanding(stretch, plan, records([0, 1]), { snapshot, copying: undefined }).splitsDone).toBe(1);
  expect(stretchStanding(stretch, plan, records([0]), undefined)).toEqual({
    ...{ table, splitsDone: 0, rows: 0, textBytes: 0 },
  });
});
