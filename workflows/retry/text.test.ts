import { expect, test } from 'vitest';
import { plainLines } from '../job/plain-lines.ts';
import type { RetriedRun, RetrySummary } from './contract.ts';
import { retryText } from './text.ts';

const run = (workflowId: string, outcome: RetriedRun['outcome'], message?: string): RetriedRun => ({
  workflowId,
  workflowRunId: 'r',
  state: 'failed',
  reason: 'It hung up.\nTwice.',
  outcome,
  ...(message === undefined ? {} : { message }),
});
const summary: RetrySummary = {
  since: '2026-03-01T00:00:00.000Z',
  workflowType: 'importSqlHistory',
  dryRun: false,
  runs: [run('a', 'succeeded'), run('b', 'failed', `It hung up again${'!'.repeat(400)}`)],
  succeeded: 1,
  failed: 1,
  signalled: 0,
  leftOut: 0,
};

test('runs that were retried are told with their outcome and the reason, in one line each, however long that is', () => {
  const lines = plainLines(retryText.result(summary), 50);
  expect(lines).toHaveLength(4);
  expect(lines[0]).toBe('2 failed or waiting runs: 1 made good, 0 told to go on, 1 failed again.');
  expect(lines[2]).toBe('a    succeeded  It hung up. / Twice.');
  expect(lines[3]?.length).toBeLessThan(330);
});

test('a retry counts as a failure when a run has failed again', () => {
  expect(retryText.isFailure(summary)).toBe(true);
  expect(retryText.isFailure({ ...summary, failed: 0 })).toBe(false);
});

test('runs that are still to be retried are told as that', () => {
  const { headline, tables } = retryText.progress({ runs: summary.runs, pending: [1] });
  expect(headline).toBe('1 of 2 runs done');
  expect(tables?.[0]?.rows.map(([, outcome]) => outcome)).toEqual(['succeeded', 'to be retried']);
  expect(retryText.progress({ runs: [], pending: [] })).toEqual({ headline: 'No failed runs.' });
});
