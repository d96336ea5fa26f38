// node infra/launch/run.mjs test/query/record-histories.ts: records the histories of runHiveQuery and runReport that workflows/replay.test.ts replays, on
// the stack's servers. To be run after an intended change of the workflows; runs that are under way at that time in an
// installation need `patched` instead.
import type { WorkflowHandle } from '@temporalio/client';
import { eventually } from '../support/eventually.ts';
import { knownReadings, makeReadings } from '../report/known-readings.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';
import { QueryBed } from './query-bed.ts';

const scenarios: Readonly<Record<string, (bed: QueryBed) => Promise<WorkflowHandle>>> = {
  'query-complete': (bed) => bed.start({ sql: 'SELECT 1 AS one', format: 'jsonl' }),
  'query-refused': (bed) => bed.start({ sql: 'DROP TABLE nothing' }),
  'query-invalid-input': (bed) => bed.start({ maxRows: -1 }),
  'query-written': (bed) => bed.start({ sql: `CREATE TABLE ${bed.hiveDatabase}.made (a INT)`, allowWrites: true }),
  'query-cancelled': async (bed) => {
    const readings = `${bed.hiveDatabase}.readings_all`;
    const handle = await bed.start({
      sql: `SELECT COUNT(*) FROM ${readings} a JOIN ${readings} b JOIN ${readings} c JOIN ${readings} d`,
    });
    await eventually('a job of MapReduce runs', () => bed.jobs().length > 0);
    await handle.cancel();
    return handle;
  },
  'report-complete': (bed) => bed.start({ sensors: ['6'] }, 'runReport'),
  'report-invalid-input': (bed) => bed.start({ report: 'none' }, 'runReport'),
};

await forgetHistories(Object.keys(scenarios));
const bed = await QueryBed.open({ mayWrite: true });
try {
  await makeReadings(bed, knownReadings());
  for (const [name, scenario] of Object.entries(scenarios)) {
    const handle = await scenario(bed);
    await handle.result().catch(() => undefined);
    const type = name.startsWith('report') ? 'runReport' : 'runHiveQuery';
    await record(`${name}-${type}-1`, bed.client, await handle.describe());
    console.log(name);
  }
} finally {
  await bed.close();
}
