// node infra/launch/run.mjs test/tables/record-histories.ts: records the histories of buildHiveTables that workflows/replay.test.ts replays, on
// the stack's servers. To be run after an intended change of the workflow; runs that are under way at that time in an
// installation need `patched` instead.
import type { WorkflowHandle } from '@temporalio/client';
import { eventually } from '../support/eventually.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';
import { TablesBed } from './tables-bed.ts';

const scenarios: Readonly<Record<string, (bed: TablesBed) => Promise<WorkflowHandle>>> = {
  'tables-complete': async (bed) => {
    await bed.put('samples/one.txt', 'the one\n');
    return bed.start({});
  },
  'tables-refused': async (bed) => {
    await bed.run('DROP VIEW @.readings_imported');
    await bed.run('CREATE TABLE @.readings_imported (mine INT)');
    return bed.start();
  },
  'tables-invalid-input': (bed) => bed.start({ texts: { books: ['no path'] } }),
  'tables-cancelled': async (bed) => {
    bed.proxy.hang();
    const handle = await bed.start();
    await eventually('Hive is asked', () => bed.proxy.open > 0);
    await handle.cancel();
    return handle;
  },
};

await forgetHistories(Object.keys(scenarios));
const bed = await TablesBed.open();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const handle = await scenario(bed);
    await handle.result().catch(() => undefined);
    await record(`${name}-buildHiveTables-1`, bed.client, await handle.describe());
    console.log(name);
  }
} finally {
  await bed.proxy.pass();
  await bed.close();
}
