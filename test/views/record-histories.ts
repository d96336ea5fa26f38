// node infra/launch/run.mjs test/views/record-histories.ts: records the histories of buildBatchViews that workflows/replay.test.ts replays, on
// the stack's servers. To be run after an intended change of the workflow; runs that are under way at that time in an
// installation need `patched` instead.
import type { WorkflowHandle } from '@temporalio/client';
import type { ViewsProgress } from '../../workflows/views/contract.ts';
import { TOPIC } from '../hdfs-sink/writer-bed.ts';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';
import { ViewsBed } from './views-bed.ts';

const reading = (): string => makeEnvelope({ createdAt: '1709164800.5' });
const isReading = async (handle: WorkflowHandle): Promise<boolean> =>
  (await handle.query<ViewsProgress>('progress')).phase === 'reading';

const scenarios: Readonly<Record<string, (bed: ViewsBed) => Promise<WorkflowHandle>>> = {
  'views-complete': async (bed) => {
    await bed.commit([reading(), reading()]);
    return bed.start();
  },
  'views-up-to-date': (bed) => bed.start({}),
  'views-invalid-input': (bed) => bed.start({ resolutions: ['week'] }),
  'views-overtaken': async (bed) => {
    const last = await bed.commit([reading()]);
    await bed.serving.query(
      `INSERT INTO ${bed.serving.schema}.speed_position (topic, partition, next_offset, segment_first_offset, segment_number) VALUES ($1, 0, 0, 0, 1)`,
      [TOPIC],
    );
    const handle = await bed.start();
    await eventually('Hive reads', () => isReading(handle));
    await bed.serving.query(`UPDATE ${bed.serving.schema}.speed_position SET next_offset = $1`, [last + 10]);
    return handle;
  },
  'views-cancelled': async (bed) => {
    const handle = await bed.start({ rebuild: true });
    await eventually('Hive reads', () => isReading(handle));
    await handle.cancel();
    return handle;
  },
};

await forgetHistories(Object.keys(scenarios));
const bed = await ViewsBed.open();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const handle = await scenario(bed);
    await handle.result().catch(() => undefined);
    await record(`${name}-buildBatchViews-1`, bed.client, await handle.describe());
    console.log(name);
  }
} finally {
  await bed.close();
}
