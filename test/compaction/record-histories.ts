// node infra/launch/run.mjs test/compaction/record-histories.ts: records the histories of compactReadings that workflows/replay.test.ts replays, on
// the stack's servers. To be run after an intended change of the workflow; runs that are under way at that time in an
// installation need `patched` instead.
import type { WorkflowHandle } from '@temporalio/client';
import type { CompactionProgress } from '../../workflows/compaction/contract.ts';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';
import { CompactionBed } from './compaction-bed.ts';

const reading = (): string => makeEnvelope({ createdAt: '1709164800.5' });

const scenarios: Readonly<Record<string, (bed: CompactionBed) => Promise<WorkflowHandle>>> = {
  'compaction-complete': async (bed) => {
    await bed.commit([reading(), reading()]);
    return bed.start();
  },
  'compaction-up-to-date': (bed) => bed.start({}),
  'compaction-invalid-input': (bed) => bed.start({ minFiles: 0 }),
  'compaction-cancelled': async (bed) => {
    await bed.commit([reading()]);
    const handle = await bed.start();
    await eventually(
      'Hive reads',
      async () => (await handle.query<CompactionProgress>('progress')).phase === 'reading',
    );
    await handle.cancel();
    return handle;
  },
};

await forgetHistories(Object.keys(scenarios));
const bed = await CompactionBed.open();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const handle = await scenario(bed);
    await handle.result().catch(() => undefined);
    await record(`${name}-compactReadings-1`, bed.client, await handle.describe());
    console.log(name);
  }
} finally {
  await bed.close();
}
