// node infra/launch/run.mjs test/replay/record-histories.ts: records the histories of replayLegacyTelemetry that workflows/replay.test.ts replays, on
// the stack's servers. To be run after an intended change of the workflow; runs that are under way at that time in an installation need
// `patched` instead.
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import kafkajs from 'kafkajs';
import { loadConfig } from '../../runtime/config.ts';
import { DiscoveryBed } from '../discovery/discovery-bed.ts';
import { forgetHistories, record } from '../workflows/recorded-history.ts';

// In HDFS, so that nothing of this machine is in the histories.
const share = `/test-replay-share-${randomUUID()}`;
const bed = new DiscoveryBed(`hdfs:${share}`);
/** The worker makes it. */
const topic = `test.${randomUUID()}`;

const start = (input: unknown): Promise<WorkflowHandle> => bed.start(input, 'replayLegacyTelemetry');
const scenarios: Readonly<Record<string, () => Promise<WorkflowHandle>>> = {
  'replay-dry-run': () => start({ dryRun: true }),
  'replay-complete': () => start({}),
  'replay-again': () => start({ class: 'telemetry' }),
  'replay-refused': () => start({ file: 'f'.repeat(64) }),
  'replay-invalid-input': () => start({ speed: -1 }),
};

await forgetHistories(Object.keys(scenarios));
bed.startWorker({ TOPIC_INGESTION: topic, CONSUMER_GROUP_PREFIX: `test.${randomUUID().slice(0, 8)}` });
try {
  for (const name of ['a', 'b', 'c']) {
    const rows = Array.from(
      { length: 100 },
      (_, row) => `2016-03-01T00:00:${String(row % 60).padStart(2, '0')}Z,${name},${row}.5,MW`,
    );
    const text = `timestamp,sensor_id,value,unit\n${rows.join('\n')}\n`;
    await bed.hdfs.writeFile(`${share}/${name}.csv`, Buffer.from(text), { createParent: true });
  }
  await bed.crawl();
  for (const [name, scenario] of Object.entries(scenarios)) {
    const handle = await scenario();
    await handle.result().catch(() => undefined);
    await record(`${name}-replayLegacyTelemetry-1`, bed.client, await handle.describe());
    console.log(name);
  }
} finally {
  await bed.hdfs.delete(share, { recursive: true });
  await bed.close();
  const admin = new kafkajs.Kafka({ brokers: loadConfig().KAFKA_BROKERS }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}
