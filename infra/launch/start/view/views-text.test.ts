import { expect, test } from 'vitest';
import type { ViewsResult } from '../../../../workflows/views/contract.ts';
import { viewsNews } from './views-text.ts';

const RESULT: ViewsResult = {
  outcome: 'published',
  boundary: [],
  rebuild: false,
  files: 1,
  bytes: 10,
  readings: 1_000,
  otherForms: 0,
  unreadable: 0,
  counted: 1_000,
  inexact: 0,
  windows: { computed: 120, new: 118, changed: 2, gone: 0 },
  mended: 0,
  examples: [],
  sql: [],
  durationMs: 65_000,
};

test('tells how much was added up, and how to add more', () => {
  expect(viewsNews({ kind: 'done', result: RESULT })?.split('\n')).toEqual([
    'Built batch views by Hive in 0:01:05: 120 windows of 1,000 readings, 118 new, 2 changed.',
    '  They lie in PostgreSQL, table batch_view. Add what has come since: npm run job -- buildBatchViews',
  ]);
});

test('says what to do when it failed, and nothing when nothing was new or it was interrupted', () => {
  expect(viewsNews({ kind: 'failed', message: 'Hive is away.' })).toBe(
    'The batch views were not built: Hive is away. Readings stream on; `npm run job -- buildBatchViews` tries again.',
  );
  expect(viewsNews({ kind: 'done', result: { ...RESULT, outcome: 'up-to-date' } })).toBeUndefined();
  expect(viewsNews({ kind: 'interrupted' })).toBeUndefined();
});
