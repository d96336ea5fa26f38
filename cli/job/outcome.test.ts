import { expect, test } from 'vitest';
import { outcomeOf } from './outcome.ts';

const retried = {
  ...{ since: '2026-03-01T00:00:00.000Z', workflowType: 'importSqlHistory', dryRun: false, runs: [], leftOut: 0 },
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
  // What a result means is known from its workflow, not from its shape.
  expect(outcomeOf({ completed: true, result: retried }, 'countWords', 'w').exitCode).toBe(0);
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
