// node infra/launch/run.mjs test/discovery/record-histories.ts: records the histories of discoverLegacyFiles and fetchLegacyFile that
// workflows/replay.test.ts replays, on the stack's servers. To be run after an intended change of the workflows; runs that are under way at that time
// in an installation need `patched` instead.
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { DiscoveryProgress } from '../../workflows/discovery/contract.ts';
import { eventually } from '../support/eventually.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';
import { DiscoveryBed, sha256 } from './discovery-bed.ts';

// In HDFS, so that nothing of this machine is in the histories.
const share = `/test-discovery-share-${randomUUID()}`;
const bed = new DiscoveryBed(`hdfs:${share}`);

async function put(name: string, text: string): Promise<void> {
  await bed.hdfs.writeFile(`${share}/${name}`, Buffer.from(text), { createParent: true, overwrite: true });
}

const scenarios: Readonly<Record<string, () => Promise<WorkflowHandle>>> = {
  'discovery-complete': async () => {
    await put('a/one.txt', 'one text\n');
    await put('b/two.txt', 'one text\n');
    return bed.start({});
  },
  'discovery-dry-run': () => bed.start({ dryRun: true }),
  'discovery-continued': async () => {
    for (let index = 0; index < 40; index++) await put(`many/${index}.txt`, `text ${index}\n`);
    return bed.start({ unitFiles: 1, eventsPerRun: 50, concurrency: 3 });
  },
  'discovery-refused': () => bed.start({ root: 'hdfs:/no/such/share' }),
  'discovery-invalid-input': () => bed.start({ unitFiles: 0 }),
  'discovery-cancelled': async () => {
    for (let index = 0; index < 200; index++) await put(`more/${index}.txt`, `further text ${index}\n`);
    const handle = await bed.start({ root: `hdfs:${share}/more`, unitFiles: 1, concurrency: 2 });
    await eventually('something has landed', async () => {
      return (await handle.query<DiscoveryProgress>('progress')).tally.discovered > 2;
    });
    await handle.cancel();
    return handle;
  },
  'fetch-complete': () => bed.start({ file: sha256('one text\n') }, 'fetchLegacyFile'),
  'fetch-refused': () => bed.start({ file: 'f'.repeat(64) }, 'fetchLegacyFile'),
  'fetch-invalid-input': () => bed.start({}, 'fetchLegacyFile'),
};

await forgetHistories(Object.keys(scenarios));
bed.startWorker();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const { workflowId } = await scenario();
    const handle = bed.client.sdk.workflow.getHandle(workflowId);
    await handle.result().catch(() => undefined);
    // Each run of one that continued as new, the first one first.
    const runs: string[] = [];
    for await (const { runId } of bed.client.sdk.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      runs.unshift(runId);
    }
    const type = name.startsWith('fetch') ? 'fetchLegacyFile' : 'discoverLegacyFiles';
    for (const [index, runId] of runs.slice(0, 2).entries()) {
      await record(`${name}-${type}-${index + 1}`, bed.client, { workflowId, runId });
    }
    console.log(name, runs.length);
  }
} finally {
  await bed.hdfs.delete(share, { recursive: true });
  await bed.close();
}
