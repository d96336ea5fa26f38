import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { failureOf, progressOf, summaryOf, WorkflowBed } from './workflow-bed.ts';

let bed: WorkflowBed;
beforeAll(async () => {
  bed = await WorkflowBed.open();
});
afterAll(async () => {
  await bed.close();
});

describe.concurrent('importSqlHistory, interrupted,', () => {
  it('brings every split to the last snapshot when snapshots are lost', async () => {
    const lost = new Set<number>();
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 12 }, nodes: { splits: 2 }, same: { splits: 1, unchanged: true } },
      maxConnections: 2,
      beforeStretch: ({ table, from }, source) => {
        if (table.name !== 'loads' || source.snapshots > 2 || lost.has(source.snapshots) || from !== 6) return;
        lost.add(source.snapshots);
        source.loseSnapshot();
      },
    });
    const summary = await summaryOf(await start());

    expect(summary.snapshot?.id).toBe('snapshot-3');
    expect(summary.notes).toEqual(['The snapshot was lost 2 times; all tables were brought to one taken later.']);
    const at = [...activities.work.values()].flatMap((splits) => [...splits.values()].map(({ id }) => id));
    expect(new Set(at)).toEqual(new Set(['snapshot-3']));
    // What was found unchanged at an earlier snapshot is looked at again.
    expect(activities.calls.filter((call) => call === 'planTable same').length).toBe(3);
  });

  it('tells of a lost snapshot also what has continued as new', async () => {
    let isLost = false;
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 30 } },
      beforeStretch: ({ from }, source) => {
        if (from !== 20 || isLost) return;
        isLost = true;
        source.loseSnapshot();
      },
    });
    const handle = await start({}, { memo: { eventsPerRun: 40 } });
    const summary = await summaryOf(handle);
    expect(summary.snapshot?.id).toBe('snapshot-2');
    expect(activities.work.get('loads')?.size).toBe(30);
    const copies = (await bed.runsOf(handle.workflowId)).filter(({ type }) => type === 'copyTables');
    expect(copies.length).toBeGreaterThan(2);
  });

  it('replaces a keeper that does not notice the loss of its snapshot', async () => {
    let isLost = false;
    const { start } = await bed.importing({
      tables: { loads: { splits: 3 } },
      isKeeperBlind: true,
      beforeStretch: (_stretch, source) => {
        if (!isLost) source.loseSnapshot();
        isLost = true;
      },
    });
    const summary = await summaryOf(await start());
    expect(summary.snapshot?.id).toBe('snapshot-2');
  });

  it('waits for the signal retryFailed when it shall, then does what was parked, at a new snapshot', async () => {
    const broken = new Map([[0, 'row-too-large' as const]]);
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 2, broken }, nodes: { splits: 1 } },
    });
    const handle = await start({ onParked: 'wait' });
    const progress = await eventually('it waits', async () => {
      const now = await progressOf(handle);
      return now.phase === 'waiting for retryFailed' && now;
    });
    expect(progress.total).toMatchObject({ tablesDone: 1, tablesParked: 1 });
    expect(progress.tables[0]).toMatchObject({ state: 'parked', splits: 2, splitsDone: 1 });
    expect(activities.held).toBeUndefined();

    await handle.signal('retryFailed');
    await eventually('it waits again', async () => {
      const { calls } = activities;
      return (
        calls.filter((call) => call === 'planTable loads').length === 2 &&
        (await progressOf(handle)).phase === 'waiting for retryFailed'
      );
    });
    broken.clear();
    await handle.signal('retryFailed');
    const summary = await summaryOf(handle);
    expect(summary).toMatchObject({ publishedTables: 2, parkedTables: 0, snapshot: { id: 'snapshot-1' } });
    expect(activities.work.get('loads')?.get(0)?.id).toBe('snapshot-3');
    expect(activities.calls.filter((call) => call === 'publishTable nodes').length).toBe(1);
  });

  it('fails when nobody lets it try again in time', async () => {
    const broken = new Map([[0, 'row-too-large' as const]]);
    const { start } = await bed.importing({ tables: { loads: { splits: 1, broken } } });
    const failure = await failureOf(await start({ onParked: 'wait', parkedWaitHours: 0.0005 }));
    expect(failure.type).toBe('splits-parked');
  });

  it('stops everything when it is cancelled, then throws its work away, and ends as cancelled', async () => {
    let isBegun = false;
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 10 } },
      beforeStretch: async () => {
        isBegun = true;
        for (;;) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
      },
    });
    const handle = await start();
    await eventually('splits are being copied', () => isBegun);
    await handle.cancel();
    const error: unknown = await handle.result().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    // It refuses to run while anything is still being written.
    expect(activities.calls.at(-1)).toBe('discardWork');
    expect(activities.held).toBeUndefined();
    expect(activities.busy).toBe(0);
  });

  it('takes everything with it when it is terminated, also what continued as new', async () => {
    const { start, activities } = await bed.importing({
      tables: { loads: { splits: 100 } },
      beforeStretch: async ({ from }) => {
        while (from > 30) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
      },
    });
    const handle = await start({}, { memo: { eventsPerRun: 60 } });
    const copying = bed.client.sdk.workflow.getHandle(
      `${handle.workflowId}/copy-1-${(await handle.describe()).runId.slice(-12)}`,
    );
    await eventually('the copying has continued as new and hangs', async () => {
      return (
        activities.stretches.some(({ from }) => from > 31) &&
        (await copying.describe()).raw.workflowExecutionInfo?.firstRunId !== (await copying.describe()).runId
      );
    });
    await handle.terminate('by the test');
    await eventually('the copying is cancelled', async () => (await copying.describe()).status.name === 'CANCELLED');
    await eventually(
      'nothing is read and no snapshot is held',
      () => activities.busy === 0 && activities.held === undefined,
    );
    // A retry can go on with it.
    expect(activities.calls).not.toContain('discardWork');
  });
});
