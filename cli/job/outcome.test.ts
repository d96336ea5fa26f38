import { expect, test } from 'vitest';
import { outcomeOf, resultLines } from './outcome.ts';

const retried = {
  runs: [
    { workflowId: 'a', outcome: 'succeeded', reason: 'It hung up.\nTwice.' },
    { workflowId: 'b', outcome: 'failed', reason: 'x', message: `It hung up again${'!'.repeat(400)}` },
  ],
  succeeded: 1,
  failed: 1,
  signalled: 0,
};

test('a result of whatever shape is given as it is', () => {
  expect(outcomeOf({ completed: true, result: [1] }, 'countWords', 'w')).toEqual({
    exitCode: 0,
    report: ['countWords w completed.'],
    result: [1],
  });
  expect(outcomeOf({ completed: true, result: undefined }, 'countWords', 'w')).toMatchObject({ result: null });
});

test('retries of which one has failed are a failure, though the workflow has completed', () => {
  expect(outcomeOf({ completed: true, result: retried }, 'retryFailedBackfills', 'w')).toMatchObject({ exitCode: 1 });
  expect(outcomeOf({ completed: true, result: { ...retried, failed: 0 } }, 'retryFailedBackfills', 'w').exitCode).toBe(
    0,
  );
});

test('reasons stand in one line each, however long they are', () => {
  const lines = resultLines(retried);
  expect(lines).toHaveLength(4);
  expect(lines[2]).toBe('a    succeeded  It hung up. / Twice.');
  expect(lines[3]?.length).toBeLessThan(330);
});

test.each([
  ['failed', 'w failed: no'],
  ['timed out', 'w timed out: no'],
  ['cancelled', 'w was cancelled: no'],
] as const)('a workflow that %s is told as that, and is a failure', (status, told) => {
  const failure = { status, code: 'x', message: 'no', details: [] };
  expect(outcomeOf({ completed: false, failure }, 'countWords', 'w')).toEqual({
    exitCode: 1,
    report: [`countWords ${told}`],
    result: { status, code: 'x', message: 'no', workflowId: 'w' },
  });
});

test('an import tells why a table was imported in another way, and which columns are', () => {
  const summary = {
    ...{ runId: 'r', publishedTables: 1, unchangedTables: 0, parkedTables: 0, skippedTables: 0, rows: 5, splits: 1 },
    ...{ textBytes: 50, fileBytes: 20, durationMs: 1_000, notes: ['Of the run.'], parked: [], skipped: [] },
    tables: [
      {
        table: { schema: 'public', name: 'meters' },
        notes: ['2 rows of public.meters were deleted, and stay without reconcile.'],
        remarks: [{ column: 'at', sourceType: 'date', reason: 'it holds infinity', done: 'kept as text' }],
      },
    ],
  };
  expect(resultLines(summary).slice(1)).toEqual([
    'Of the run.',
    '2 rows of public.meters were deleted, and stay without reconcile.',
    expect.stringMatching(/^column +type +done +why$/),
    expect.stringMatching(/^public\.meters\.at +date +kept as text +it holds infinity$/),
  ]);
});
