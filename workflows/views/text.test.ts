import { expect, test } from 'vitest';
import { plainLines } from '../job/plain-lines.ts';
import type { ViewsResult } from './contract.ts';
import { viewsText } from './text.ts';

const RESULT: ViewsResult = {
  outcome: 'published',
  buildId: 3,
  boundary: [{ topic: 'INGESTION', partition: 0, lastOffset: 1_999, previousOffset: 999 }],
  rebuild: true,
  files: 2,
  bytes: 2_000,
  readings: 2_000,
  otherForms: 4,
  unreadable: 1,
  counted: 1_990,
  duplicates: 9,
  inexact: 2,
  windows: { computed: 30, new: 1, changed: 2, gone: 0 },
  mended: 2,
  examples: [
    {
      sensorId: '6',
      aspect: 'real_time',
      unit: 'MW',
      resolution: 'hour',
      windowStart: '2024-02-29T05:00:00.000Z',
      change: 'changed',
      before: { count: 3, sum: '4.5' },
      after: { count: 4, sum: '6' },
    },
  ],
  sql: [],
  durationMs: 4_000,
};

test('a build is told with what it mended and what is in no sum', () => {
  const lines = plainLines(viewsText.result(RESULT), 5);
  expect(lines[0]).toBe('30 windows of 1,990 readings: 1 new, 2 changed, 0 gone');
  expect(lines).toEqual(
    expect.arrayContaining([
      '9 readings came more than once, and count once.',
      '2 values do not fit into DECIMAL(38,18), and are in no sum.',
      '2 windows that no new reading has touched were wrong, and are right now.',
      expect.stringMatching(/^6 real_time MW +hour 2024-02-29 05:00 +4 +6 +3, 4\.5$/) as string,
      'and 2 more',
    ]),
  );
});

test('that nothing was new is told in a line', () => {
  const { headline } = viewsText.result({ ...RESULT, outcome: 'up-to-date' });
  expect(headline).toBe('nothing new');
});

test('progress says how much there is to read', () => {
  const progress = { phase: 'reading', rebuild: false, files: 2, bytes: 2_000, readings: 1_000 } as const;
  expect(viewsText.progress(progress).headline).toMatch(/^reading 1,000 readings in 2 files, /);
  expect(viewsText.progress({ ...progress, files: 0 }).headline).toBe('reading');
});
