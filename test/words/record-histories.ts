// node infra/launch/run.mjs test/words/record-histories.ts: records the histories of countWords that workflows/replay.test.ts replays, on
// the stack's servers. To be run after an intended change of the workflow; runs that are under way at that time in an
// installation need `patched` instead.
import type { WorkflowHandle } from '@temporalio/client';
import type { WordsProgress } from '../../workflows/words/contract.ts';
import { eventually } from '../support/eventually.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';
import { WordsBed } from './words-bed.ts';

const scenarios: Readonly<Record<string, (bed: WordsBed) => Promise<WorkflowHandle>>> = {
  'words-complete': async (bed) => {
    await bed.put('samples/one.txt', 'the one\n');
    return bed.start({ words: ['the'], perFile: true });
  },
  'words-kept': async (bed) => {
    await bed.count({ top: 3 });
    return bed.start({ top: 3 });
  },
  'words-distrusted': async (bed) => {
    await bed.put('late/good.txt', 'the good\n');
    await bed.put('late/latin.txt', Buffer.from(`${'the line\n'.repeat(10_000)}d\u00e9j\u00e0 vu`, 'latin1'));
    return bed.start({ path: `${bed.directory}/late` });
  },
  'words-refused': (bed) => bed.start({ path: '/no/such/directory' }),
  'words-invalid-input': (bed) => bed.start({ top: -1 }),
  'words-cancelled': async (bed) => {
    const path = await bed.put('long/text.txt', 'the long text\n'.repeat(100_000));
    const handle = await bed.start({ path });
    await eventually('Hive counts', async () => {
      const { phase } = await handle.query<WordsProgress>('progress');
      return phase === 'counting';
    });
    await handle.cancel();
    return handle;
  },
};

await forgetHistories(Object.keys(scenarios));
const bed = await WordsBed.open();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const handle = await scenario(bed);
    await handle.result().catch(() => undefined);
    await record(`${name}-countWords-1`, bed.client, await handle.describe());
    console.log(name);
  }
} finally {
  await bed.close();
}
