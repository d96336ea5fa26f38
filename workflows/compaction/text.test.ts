import { expect, test } from 'vitest';
import { plainLines } from '../job/plain-lines.ts';
import type { CompactionResult } from './contract.ts';
import { compactionText } from './text.ts';

const RESULT: CompactionResult = {
  outcome: 'compacted',
  topic: 'INGESTION',
  snapshot: 7,
  boundary: [{ partition: 0, lastOffset: 1_999, previousOffset: 999 }],
  files: 200,
  bytes: 2_000_000,
  readings: 10_000,
  otherForms: 4,
  unreadable: 1,
  duplicates: 9,
  days: ['2024-02-29'],
  rewritten: { days: 1, readings: 12_000, files: 1, bytes: 90_000 },
  compacted: { days: 3, readings: 40_000, files: 3, bytes: 300_000, sum: '12.5' },
  durationMs: 4_000,
};

test('a compaction is told with what came, what was written, and what there is in all', () => {
  const lines = plainLines(compactionText.result(RESULT), 5);
  expect(lines[0]).toBe('10,000 readings of 200 files in 1 file of 1 day');
  expect(lines).toEqual(
    expect.arrayContaining([
      '9 readings came more than once, and are there once.',
      '1 line cannot be read, and are left out.',
      expect.stringMatching(/^40,000 readings of 3 days lie in 3 files, .*; their values add up to 12\.5\.$/) as string,
      expect.stringMatching(/^INGESTION +0 +1,999 +999$/) as string,
    ]),
  );
});

test('that nothing was new is told in a line', () => {
  expect(compactionText.result({ ...RESULT, outcome: 'up-to-date' }).headline).toBe('nothing new');
});

test('progress says how much there is to read, and how many days are written', () => {
  const progress = { phase: 'writing days', files: 2, bytes: 2_000, readings: 1_000, daysDone: 0, days: 0 } as const;
  expect(compactionText.progress(progress).headline).toMatch(/^writing days 1,000 readings in 2 files, [^,]*$/);
  expect(compactionText.progress({ ...progress, daysDone: 1, days: 3 }).headline).toMatch(/, 1 of 3 days$/);
});
