import { describe, expect, it } from 'vitest';
import { plainLines } from '../job/plain-lines.ts';
import type { ImportProgress, ImportSummary, TableProgress } from './contract.ts';
import { importText, parkedText } from './text.ts';

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
  source: 'postgres',
  database: 'history',
  phase: 'copying',
  startedAt: '2026-03-01T02:00:00Z',
  tables: [
    table('broken', 'parked', { reason: 'It hung up.' }),
    table('readings', 'copying', { bytesPerSecond: 5_000_000, etaSeconds: 90 }),
    table('waits', 'waiting', { splits: 0, splitsDone: 0, rows: 0, estimatedRows: 0 }),
  ],
  tablesLeftOut: 1,
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

describe('the progress of an import', () => {
  it('is a line for the whole, and one for each table', () => {
    expect(plainLines(importText.progress(progress), 10)).toEqual([
      'copying: 1 of 4 tables done, 1 parked, 4 of 16 splits, 1,000,000 of about 4,000,000 rows (25 %), 80 MB, 5.0 MB/s, 0:10:00 left',
      'table            state    splits  rows                  speed     left          why',
      'public.broken    parked   1 of 4  250,000 of 1,000,000                          It hung up.',
      'public.readings  copying  1 of 4  250,000 of 1,000,000  5.0 MB/s  0:01:30 left',
      'public.waits     waiting',
      'and 1 more',
    ]);
    expect(importText.progress(progress).title).toBe('Import 2026-03-01-0123456789ab of postgres, database history');
  });

  it('does not show more than all where the estimate was too low', () => {
    const { headline } = importText.progress({ ...progress, total: { ...progress.total, estimatedRows: 10 } });
    expect(headline).toContain('1,000,000 rows, 80 MB');
  });

  it('says what lets it go on when it waits, and why', () => {
    const waiting = { ...progress, phase: 'waiting for retryFailed' } as const;
    expect(importText.progress(waiting).sentences?.join()).toContain('`retryFailed`');
    expect(importText.waitsForRetry(waiting)).toBe('public.broken: It hung up.');
    expect(importText.waitsForRetry(progress)).toBeUndefined();
  });
});

const summary: ImportSummary = {
  runId: 'r',
  source: 'postgres',
  product: 'PostgreSQL 18.1',
  database: 'history',
  businessDate: '2026-03-01',
  mode: 'full',
  consistency: 'database',
  notes: ['Of the run.'],
  tables: [
    {
      state: 'published',
      table: { schema: 'public', name: 'meters' },
      publishedAs: 'full',
      hiveTable: 'history_postgres.meters',
      directory: '/imports/postgres/public.meters/run=r',
      rows: 5,
      sourceRows: 5,
      textBytes: 50,
      fileBytes: 20,
      splits: 1,
      digest: '0',
      verified: true,
      remarks: [{ column: 'at', sourceType: 'date', reason: 'it holds infinity', done: 'kept as text' }],
      notes: ['2 rows of public.meters were deleted, and stay without reconcile.'],
    },
  ],
  tablesLeftOut: 0,
  skipped: [{ table: { schema: 'public', name: 'secrets' }, reason: 'no right to read it' }],
  parked: [],
  publishedTables: 1,
  unchangedTables: 0,
  skippedTables: 1,
  parkedTables: 0,
  rows: 5,
  textBytes: 50,
  fileBytes: 20,
  splits: 1,
  durationMs: 1_000,
};

describe('the result of an import', () => {
  it('tells what was imported, why a table was imported in another way, and what was left out', () => {
    expect(plainLines(importText.result(summary), 10)).toEqual([
      'Imported 1 table of PostgreSQL 18.1, database history: 5 rows in 0:00:01, 50 B of text as 20 B in HDFS, 1 split, verified.',
      'Run r: tables 1 published, 0 unchanged, 1 skipped.',
      'Of the run.',
      '2 rows of public.meters were deleted, and stay without reconcile.',
      'column            type  done          why',
      'public.meters.at  date  kept as text  it holds infinity',
      'skipped         why',
      'public.secrets  no right to read it',
    ]);
  });

  it('does not call verified what was copied without its digests', () => {
    const [meters] = summary.tables;
    if (meters?.state !== 'published') throw new Error('the sample has changed');
    const { headline } = importText.result({ ...summary, tables: [{ ...meters, verified: false }] });
    expect(headline).toMatch(/1 split\.$/);
  });

  it('is a table of what is parked, and why', () => {
    const [loads, nodes] = ['loads', 'no|des'].map((name) => ({ schema: 'public', name }));
    if (loads === undefined || nodes === undefined) throw new Error('there is none');
    const text = parkedText([
      { table: loads, code: 'row-too-large', reason: 'a row of 3 GB', splits: [3, 7] },
      { table: nodes, code: 'table-changed', reason: 'it was truncated', splits: [] },
    ]);
    expect(text).toBe(
      'public.loads   splits 3, 7  row-too-large: a row of 3 GB\npublic.no|des  whole table  table-changed: it was truncated',
    );
  });
});
