import { expect, test } from 'vitest';
import type { ImportedTable, ImportProgress, ImportSummary } from '../../../../workflows/import/contract.ts';
import type { ImportState } from '../import/import-state.ts';
import { importFigures, importNews, keptHistoryText } from './import-text.ts';

const PLACES = {
  temporalUrl: 'http://localhost:8233/namespaces/default',
  hive: { url: 'hive2://localhost:10000', database: 'history_postgres' },
};
const READINGS = { schema: 'public', name: 'telemetry_readings' };
const NODE = { schema: 'public', name: 'node' };
const published = (table: ImportedTable['table'], rows: number): ImportedTable => ({
  state: 'published',
  publishedAs: 'full',
  ...{ table, hiveTable: `history_postgres.${table.name}`, verified: true },
  ...{ rows, sourceRows: rows, textBytes: 1, fileBytes: 1, splits: 1, digest: '0', directory: '/imports' },
  ...{ remarks: [], notes: [] },
});
const SUMMARY: ImportSummary = {
  ...{ runId: 'r', businessDate: '2026-03-01', mode: 'full', consistency: 'database', tablesLeftOut: 0 },
  ...{ skipped: [], parked: [], parkedTables: 0 },
  product: 'PostgreSQL 15.18',
  database: 'history',
  source: 'postgres',
  notes: [],
  tables: [published(READINGS, 70_272), published(NODE, 100)],
  publishedTables: 2,
  unchangedTables: 0,
  skippedTables: 0,
  rows: 70_372,
  textBytes: 4_100_000,
  fileBytes: 612_000,
  splits: 2,
  durationMs: 4_000,
};
const PROGRESS: ImportProgress = {
  ...{ runId: 'r', phase: 'copying', startedAt: '2026-03-01T02:00:00Z', tables: [], tablesLeftOut: 0 },
  total: {
    tables: 0,
    tablesDone: 0,
    tablesParked: 0,
    splits: 1,
    splitsDone: 0,
    estimatedRows: 0,
    rows: 0,
    textBytes: 0,
  },
};
const DONE: ImportState = { kind: 'done', workflowId: 'first-import', summary: SUMMARY };

test('while it runs, rows done of the estimate, their rate, and the table at work are shown', () => {
  const none = { splits: 1, splitsDone: 0, estimatedRows: 0, rows: 0, textBytes: 0 };
  const progress: ImportProgress = {
    ...PROGRESS,
    tables: [
      { table: NODE, state: 'published', ...none },
      { table: READINGS, state: 'copying', ...none },
    ],
    total: { ...PROGRESS.total, tables: 5, tablesDone: 3, estimatedRows: 1_600_000, rows: 500_000, etaSeconds: 12 },
  };
  expect(importFigures({ kind: 'running', workflowId: 'first-import', progress, rowsPerSecond: 91_666.6 })).toEqual({
    amount: '500,000 of 1,600,000 rows',
    rate: '91,667/s',
    rest: '3 of 5 tables, public.telemetry_readings, 0:00:12 left',
  });
});

test('more rows than were estimated are not more than all', () => {
  const progress = { ...PROGRESS, total: { ...PROGRESS.total, tables: 1, estimatedRows: 10, rows: 12 } };
  const figures = importFigures({ kind: 'running', workflowId: 'w', progress, rowsPerSecond: undefined });
  expect(figures?.amount).toBe('12 of 12 rows');
});

test('what was imported is told with tables, rows, bytes, duration, and where to look at it', () => {
  expect(importNews(DONE, PLACES)).toBe(
    [
      'Imported 2 tables of PostgreSQL 15.18, database history: 70,372 rows in 0:00:04, 4.1 MB of text as 612 kB in HDFS, 2 splits, verified.',
      '  In Hive (hive2://localhost:10000), database history_postgres: telemetry_readings 70,272, node 100',
      '  Workflow http://localhost:8233/namespaces/default/workflows/first-import',
    ].join('\n'),
  );
  expect(importFigures(DONE)).toEqual({ amount: '70,372 rows', rate: '17,593/s', rest: '2 tables in Hive' });
});

test('nothing new is told as such, with the rows that are there', () => {
  const summary: ImportSummary = {
    ...SUMMARY,
    tables: [{ state: 'unchanged', table: READINGS, rows: 70_272 }],
    publishedTables: 0,
    unchangedTables: 1,
    rows: 0,
    textBytes: 0,
    fileBytes: 0,
    splits: 0,
  };
  const state: ImportState = { kind: 'done', workflowId: 'import-at-start', summary };
  expect(importNews(state, PLACES)).toMatch(
    /^Nothing to import from .*: 1 table without changes since the last import/,
  );
  expect(importNews(state, PLACES)).toContain('telemetry_readings 70,272 (unchanged)');
  expect(importFigures(state)).toEqual({ amount: '70,272 rows', rate: '', rest: '1 table in Hive, nothing new' });
  expect(keptHistoryText(state, PLACES, undefined)).toContain('70,272 rows of 1 table in Hive');
});

test('what was copied without its digests is not called verified', () => {
  const [first, second] = SUMMARY.tables;
  if (first?.state !== 'published' || second === undefined) throw new Error('the sample has changed');
  const summary = { ...SUMMARY, tables: [{ ...first, verified: false }, second] };
  expect(importNews({ ...DONE, summary }, PLACES)).not.toContain('verified');
});

test('a failure is one sentence with what to do, and below it what failed in particular', () => {
  const state: ImportState = {
    kind: 'failed',
    workflowId: 'first-import',
    message: '2 of 9 tables are not imported\npublic.x  refused\npublic.y  denied',
  };
  expect(importNews(state, PLACES)).toBe(
    [
      'The import of SQL history failed: 2 of 9 tables are not imported. Try again with `npm run job -- retry`; readings stream on.',
      '  public.x  refused',
      '  public.y  denied',
    ].join('\n'),
  );
  expect(importNews({ ...state, workflowId: undefined }, PLACES)).toContain('the next start tries again');
});

test('an import that goes on next time says so, one that nobody wanted says nothing', () => {
  expect(importNews({ kind: 'interrupted', workflowId: 'first-import' }, PLACES)).toContain(
    'goes on with the next start',
  );
  expect(importNews({ kind: 'off', reason: '' }, PLACES)).toBeUndefined();
  expect(importFigures({ kind: 'off', reason: '' })).toBeUndefined();
});

test('rows are not counted from a summary that leaves tables out', () => {
  const summary = { ...SUMMARY, publishedTables: 900 };
  expect(keptHistoryText({ ...DONE, summary }, PLACES, { files: 3, bytes: 2_000 })).toBe(
    'History: – rows of 900 tables in Hive database history_postgres, 3 files of 2.0 kB in HDFS.',
  );
});

test('text from the database cannot steer the terminal', () => {
  const summary = { ...SUMMARY, database: 'a\x1b[2Jb' };
  expect(importNews({ ...DONE, summary }, PLACES)).toContain('database a?[2Jb');
});
