import { describe, expect, it } from 'vitest';
import { workOf } from './retried-work.ts';

const runId = '0195b3a0-7c1e-7000-8000-0123456789ab';

describe('the work of a run', () => {
  it('of an import is the same for whoever resumes it, whatever its workflow id', () => {
    const memo = { importRunId: '2026-03-01-0123456789ab' };
    const original = workOf({ workflowType: 'importSqlHistory', workflowId: 'nightly', runId, memo });
    const byHand = workOf({
      workflowType: 'importSqlHistory',
      workflowId: 'another',
      runId: runId.replace('ab', 'cd'),
      memo,
    });
    expect(original).toEqual(byHand);
    expect(original.retryWorkflowId).toBe('importSqlHistory/retry/2026-03-01-0123456789ab');
  });

  it('of another workflow is told by the workflow id of its retry', () => {
    const original = workOf({ workflowType: 'countWords', workflowId: 'count', runId, memo: {} });
    expect(original.retryWorkflowId).toBe('count/retry/0123456789ab');
    const retry = workOf({
      workflowType: 'countWords',
      workflowId: original.retryWorkflowId,
      runId: 'another',
      memo: {},
    });
    expect(retry).toEqual(original);
  });

  it('differs between two failed runs of one workflow id', () => {
    const one = workOf({ workflowType: 'countWords', workflowId: 'count', runId, memo: {} });
    const other = workOf({
      workflowType: 'countWords',
      workflowId: 'count',
      runId: runId.replace('ab', 'cd'),
      memo: {},
    });
    expect(one.key).not.toBe(other.key);
  });
});
