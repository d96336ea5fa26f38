import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../grid/errors.ts';
import type { ImportSummary } from '../../workflows/import/contract.ts';
import type { RetrySummary } from '../../workflows/retry/contract.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, progressOf, summaryOf, WorkflowBed, type ImportBed } from './workflow-bed.ts';

let bed: WorkflowBed;
beforeAll(async () => {
  bed = await WorkflowBed.open();
});
afterAll(async () => {
  await bed.close();
});

const workflowType = 'retryFailedBackfills';

async function retry(importing: ImportBed, input: object = {}): Promise<RetrySummary> {
  const handle = await importing.start(input, { workflowType });
  return (await handle.result()) as RetrySummary;
}

/** Visibility is told of a run's end a moment later. */
async function untilVisible(handle: WorkflowHandle, status: string): Promise<void> {
  const query = `WorkflowId = '${handle.workflowId}' AND ExecutionStatus = '${status}'`;
  await eventually(`${handle.workflowId} is listed as ${status}`, async () => {
    const { count } = await bed.client.sdk.workflow.count(query);
    return count > 0;
  });
}

describe.concurrent('retryFailedBackfills', () => {
  it('finds a failed import, does only what is missing, and then finds nothing any more', async () => {
    const broken = new Map<number, ErrorCode>([[1, 'row-too-large']]);
    const importing = await bed.importing({ tables: { loads: { splits: 3, broken }, nodes: { splits: 1 } } });
    const { activities, start } = importing;
    const failed = await start({
      businessDate: '2021-05-01',
      tables: ['public.loads', 'public.nodes'],
      onParked: 'fail',
    });
    const { runId } = (await failureOf(failed)).details?.[0] as ImportSummary;
    await untilVisible(failed, 'Failed');

    const dry = await retry(importing, { dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, succeeded: 0, failed: 0, leftOut: 0 });
    expect(dry.runs).toMatchObject([{ workflowId: failed.workflowId, state: 'failed', outcome: 'would be retried' }]);
    expect(dry.runs[0]?.reason).toContain('Copying split 1 of loads');

    broken.clear();
    const before = activities.calls.length;
    const done = await retry(importing);
    expect(done).toMatchObject({ succeeded: 1, failed: 0 });
    const retryWorkflowId = `importSqlHistory/retry/${runId}`;
    expect(done.runs).toMatchObject([{ workflowId: failed.workflowId, outcome: 'succeeded', retryWorkflowId }]);
    const retried = bed.client.sdk.workflow.getHandle(retryWorkflowId);
    expect(await summaryOf(retried)).toMatchObject({ runId, businessDate: '2021-05-01', publishedTables: 2 });
    expect(activities.calls.slice(before)).not.toContain('publishTable nodes');

    expect((await retry(importing)).runs).toEqual([]);
  });

  it('fails when a retry fails, and retries the work again under the same workflow id', async () => {
    const broken = new Map<number, ErrorCode>([[0, 'row-too-large']]);
    const importing = await bed.importing({ tables: { loads: { splits: 1, broken } } });
    const failed = await importing.start();
    await failureOf(failed);
    await untilVisible(failed, 'Failed');

    const failure = await failureOf(await importing.start({}, { workflowType }));
    expect(failure.type).toBe('splits-parked');
    expect(failure.message).toContain('1 of 1 failed again');
    const [run] = (failure.details?.[0] as RetrySummary).runs;
    expect(run).toMatchObject({ workflowId: failed.workflowId, outcome: 'failed' });
    const again = bed.client.sdk.workflow.getHandle(run?.retryWorkflowId ?? '');
    await untilVisible(again, 'Failed');

    // The failed retry stands for both.
    const dry = await retry(importing, { dryRun: true });
    expect(dry.runs).toMatchObject([{ workflowId: again.workflowId, retryWorkflowId: again.workflowId }]);
    broken.clear();
    expect(await retry(importing)).toMatchObject({ succeeded: 1 });
  });

  it('tells a run that waits to try again, and takes up one that was terminated', async () => {
    const broken = new Map<number, ErrorCode>([[0, 'row-too-large']]);
    const importing = await bed.importing({ tables: { loads: { splits: 1, broken } } });
    const isWaiting = (handle: WorkflowHandle) => async () =>
      (await progressOf(handle)).phase === 'waiting for retryFailed';
    const waiting = await importing.start({ onParked: 'wait' });
    const terminated = await importing.start({ onParked: 'wait' });
    await eventually('one waits', isWaiting(waiting));
    await eventually('the other waits', isWaiting(terminated));
    await terminated.terminate('by the test');
    await untilVisible(terminated, 'Terminated');
    await untilVisible(waiting, 'Running');
    broken.clear();

    const { runs } = await retry(importing);
    expect(runs.map(({ workflowId, state, outcome }) => [workflowId, state, outcome])).toEqual([
      [terminated.workflowId, 'failed', 'succeeded'],
      [waiting.workflowId, 'waiting', 'signalled'],
    ]);
    expect(runs[0]?.reason).toContain('by the test');
    expect(runs[1]?.reason).toContain('public.loads: row-too-large');
    expect(await summaryOf(waiting)).toMatchObject({ publishedTables: 1, parkedTables: 0 });
  });

  it('leaves alone what somebody resumed with success, and what fails for its input', async () => {
    const broken = new Map<number, ErrorCode>([[0, 'row-too-large']]);
    const importing = await bed.importing({ tables: { loads: { splits: 1, broken } } });
    const failed = await importing.start();
    const { runId } = (await failureOf(failed)).details?.[0] as ImportSummary;
    const bad = await importing.start({ splitRows: 0 });
    await failureOf(bad);
    broken.clear();
    const resumed = await importing.start({ resume: runId });
    await summaryOf(resumed);
    await untilVisible(resumed, 'Completed');
    await untilVisible(bad, 'Failed');

    const { runs, failed: failures } = await retry(importing);
    expect(runs.map(({ workflowId, state, outcome }) => [workflowId, state, outcome])).toEqual([
      [bad.workflowId, 'unretryable', 'left alone'],
    ]);
    expect(failures).toBe(0);
  });

  it('starts a failed workflow of another type again with the same input', async () => {
    const importing = await bed.importing({ tables: {} });
    const run = { source: 'postgres', runId: '2020-01-01-000000000000', workflowId: 'nobody', workflowRunId: '' };
    const request = {
      run: { ...run, businessDate: '2020-01-01' },
      tables: [],
      lanes: 1,
      eventsPerRun: 1_000,
      startedMs: 0,
    };
    // It completes at once; so it must never have been begun when it is terminated.
    const handle = await bed.client.sdk.workflow.start('copyTables', {
      taskQueue: importing.taskQueue,
      workflowId: `${importing.taskQueue}-delayed`,
      args: [request],
      startDelay: '1 day',
    });
    await handle.terminate('by the test');
    await untilVisible(handle, 'Terminated');

    const { runs } = await retry(importing, { workflowType: 'copyTables' });
    expect(runs).toMatchObject([{ workflowId: handle.workflowId, outcome: 'succeeded' }]);
    const again = bed.client.sdk.workflow.getHandle(runs[0]?.retryWorkflowId ?? '');
    expect(await again.result()).toEqual({ tables: [] });
  });

  it('finds only what ended since the time that was given', async () => {
    const importing = await bed.importing({ tables: { loads: { splits: 1, gone: 'table-changed' } } });
    const failed = await importing.start();
    await failureOf(failed);
    await untilVisible(failed, 'Failed');
    expect((await retry(importing, { since: '2100-01-01', dryRun: true })).runs).toEqual([]);
    expect((await retry(importing, { since: '2000-01-01T00:00:00+01:00', dryRun: true })).runs.length).toBe(1);
  });

  it('fails at once, for good and with one sentence, on a bad input', async () => {
    const { start } = await bed.importing({ tables: {} });
    const bad: readonly [input: unknown, told: RegExp][] = [
      [{ since: 'yesterday' }, /since: /],
      [{ concurrency: 0 }, /concurrency: /],
      [{ dryRun: 'yes' }, /dryRun: /],
      [{ workflow: 'importSqlHistory' }, /workflow/],
    ];
    for (const [input, told] of bad) {
      const failure = await failureOf(await start(input, { workflowType }));
      expect(failure).toMatchObject({ type: 'invalid-input', nonRetryable: true });
      expect(failure.message).toMatch(told);
    }
  });
});
