import { expect, test } from 'vitest';
import type { ImportProgress, TableProgress } from './contract.ts';
import { progressLines } from '../job/plain-lines.ts';
import { progressView } from '../../cli/job/progress-view.ts';

const table = (name: string, state: TableProgress['state'], more: Partial<TableProgress> = {}): TableProgress => ({
  table: { schema: 'public', name },
  state,
  splits: 4,
  splitsDone: 1,
  estimatedRows: 1_000_000,
  rows: 250_000,
  textBytes: 20_000_000,
  ...more,
});

const progress: ImportProgress = {
  runId: '2026-03-01-0123456789ab',
  phase: 'copying',
  startedAt: '2026-03-01T02:00:00Z',
  tables: [
    table('done', 'published'),
    table('broken', 'parked', { reason: 'It hung up.' }),
    table('readings', 'copying', { bytesPerSecond: 5_000_000, etaSeconds: 90 }),
    table('more', 'copied'),
  ],
  tablesLeftOut: 0,
  total: {
    tables: 4,
    tablesDone: 1,
    tablesParked: 1,
    splits: 16,
    splitsDone: 4,
    estimatedRows: 4_000_000,
    rows: 1_000_000,
    textBytes: 80_000_000,
    bytesPerSecond: 5_000_000,
    etaSeconds: 600,
  },
};

test('an import is one line for the whole and one for each table that there is something to tell of', () => {
  expect(progressLines(progress, 10)).toEqual([
    'copying: 1 of 4 tables done, 1 parked, 1.00M of ~4.00M rows (25 %), 80 MB, 5.0 MB/s, ETA 10:00',
    '  public.readings copying: 250k of ~1.00M rows (25 %), 20 MB, split 1/4, 5.0 MB/s, ETA 1:30',
    '  public.broken parked: 250k of ~1.00M rows (25 %), 20 MB, split 1/4, It hung up.',
    '  public.more copied: 250k of ~1.00M rows (25 %), 20 MB, split 1/4',
  ]);
  expect(progressLines(progress, 1)).toHaveLength(3);
  expect(progressLines(progress, 1).at(-1)).toBe('  and 2 more');
});

test('an estimate that was too low is not shown as more than all', () => {
  const [line] = progressLines({ ...progress, total: { ...progress.total, estimatedRows: 10 } }, 0);
  expect(line).toContain('1.00M rows, 80 MB');
});

test('the progress of another workflow is shown as it is', () => {
  expect(progressLines({ words: 3 }, 5)).toEqual(['{"words":3}']);
  expect(progressLines(undefined, 5)).toEqual([]);
});

/** What is written to a stream. */
function written(isTTY: boolean, use: (view: ReturnType<typeof progressView>) => void): string {
  let text = '';
  const stream = { isTTY, columns: 20, write: (chunk: string) => ((text += chunk), true) };
  use(progressView(stream));
  return text;
}

test('on a terminal what was shown is drawn over, and sentences stay above it', () => {
  const text = written(true, (view) => {
    view.show(['one', 'a line that is too long for it']);
    view.say('hello');
    view.end();
  });
  const erase = '\u001b[2F\u001b[0J';
  expect(text).toBe(`one\na line that is too…\n${erase}hello\none\na line that is too…\n${erase}`);
});

test('elsewhere only the whole is written, and not again while it is the same', () => {
  const text = written(false, (view) => {
    view.show(['one', 'two']);
    view.show(['one', 'two']);
    view.say('hello');
    view.end();
  });
  expect(text).toBe('one\nhello\n');
});
