// node infra/launch/run.mjs test/workflows/record-histories.ts: records the histories of imports and retries that workflows/replay.test.ts replays, on the
// stack's Temporal. To be run after an intended change of the workflows; runs that are under way at that time in an
// installation need `patched` instead.
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { ErrorCode } from '../../grid/errors.ts';
import { eventually } from '../support/eventually.ts';
import { forgetHistories, record } from './recorded-history.ts';
import { progressOf, WorkflowBed } from './workflow-bed.ts';

type Scenario = (bed: WorkflowBed) => Promise<readonly WorkflowHandle[]>;

const scenarios: Readonly<Record<string, Scenario>> = {
  complete: async (bed) => {
    const same = { splits: 1, unchanged: true };
    const { start } = await bed.importing({ tables: { loads: { splits: 4 }, empty: { splits: 0 }, same } });
    return [await start()];
  },
  parked: async (bed) => {
    const broken = new Map<number, ErrorCode>([[2, 'row-too-large']]);
    const { start } = await bed.importing({
      tables: {
        loads: { splits: 3, broken },
        nodes: { splits: 1 },
        changed: { splits: 1, gone: 'table-changed' },
        dropped: { splits: 1, gone: 'unknown-table' },
        contested: { splits: 1, conflict: 'import-conflict' },
      },
    });
    return [await start()];
  },
  refused: async (bed) => {
    const { start } = await bed.importing({ tables: { loads: { splits: 1, refusal: 'unsupported-column' } } });
    return [await start()];
  },
  'invalid-input': async (bed) => {
    const { start } = await bed.importing({ tables: {} });
    return [await start({ splitRows: -1 })];
  },
  'snapshot-lost': async (bed) => {
    let isLost = false;
    const { start } = await bed.importing({
      tables: { loads: { splits: 6 } },
      beforeStretch: ({ from }, source) => {
        if (from === 3 && !isLost) source.loseSnapshot();
        isLost ||= from === 3;
      },
    });
    return [await start()];
  },
  'one-connection': async (bed) => {
    const tables = { loads: { splits: 5 }, empty: { splits: 0 } };
    const { start } = await bed.importing({ tables, sharedSnapshots: false, maxBytesPerSecond: 1_000 });
    return [await start({ source: 'sqlserver' })];
  },
  'continued-as-new': async (bed) => {
    const { start } = await bed.importing({ tables: { loads: { splits: 12 }, nodes: { splits: 4 } } });
    return [await start({}, { memo: { eventsPerRun: 40, businessTimeZone: 'Europe/Berlin' } })];
  },
  'waited-for-retry': async (bed) => {
    const broken = new Map<number, ErrorCode>([[0, 'row-too-large']]);
    const { start } = await bed.importing({ tables: { loads: { splits: 2, broken }, nodes: { splits: 1 } } });
    const handle = await start({ onParked: 'wait' });
    await untilItWaits(handle);
    broken.clear();
    await handle.signal('retryFailed');
    return [handle];
  },
  cancelled: async (bed) => {
    let isBegun = false;
    const { start } = await bed.importing({
      tables: { loads: { splits: 4 } },
      beforeStretch: async () => {
        isBegun = true;
        for (;;) {
          Context.current().heartbeat();
          await Context.current().sleep(50);
        }
      },
    });
    const handle = await start();
    await eventually('it copies', () => isBegun);
    await handle.cancel();
    return [handle];
  },
  retry: async (bed) => {
    const broken = new Map<number, ErrorCode>([[0, 'row-too-large']]);
    const { start } = await bed.importing({ tables: { loads: { splits: 1, broken } } });
    const ended = [await start(), await start({ splitRows: 0 })];
    for (const handle of ended) {
      await handle.result().catch(() => undefined);
      await bed.runsOf(handle.workflowId);
    }
    const waiting = await start({ onParked: 'wait' });
    await untilItWaits(waiting);
    const options = { workflowType: 'retryFailedBackfills' };
    const dry = await start({ dryRun: true }, options);
    await dry.result();
    const failing = await start({ concurrency: 1 }, options);
    await failing.result().catch(() => undefined);
    broken.clear();
    const again = await start({}, options);
    return [dry, failing, again];
  },
};

async function untilItWaits(handle: WorkflowHandle): Promise<void> {
  await eventually('it waits', async () => (await progressOf(handle)).phase === 'waiting for retryFailed');
}

await forgetHistories(Object.keys(scenarios));
const bed = await WorkflowBed.open();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const recorded = new Map<string, number>();
    for (const handle of await scenario(bed)) {
      await handle.result().catch(() => undefined);
      const runs = [...(await bed.runsOf(handle.workflowId))];
      runs.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
      for (const run of runs) {
        const count = (recorded.get(run.type) ?? 0) + 1;
        recorded.set(run.type, count);
        await record(`${name}-${run.type}-${count}`, bed.client, run);
      }
    }
    console.log(`${name}: ${[...recorded].map(([type, count]) => `${count} ${type}`).join(', ')}`);
  }
} finally {
  await bed.close();
}
