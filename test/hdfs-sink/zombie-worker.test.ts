import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { makeEnvelope } from '../support/readings.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { filesBelow, readMasterData } from './master-data.ts';

const config = loadConfig();
const feed = new KafkaFeed(config.KAFKA_BROKERS);
const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: 'powergrid' });
const topic = `zombie-${randomUUID()}`;
const topicsDirectory = `/test/${topic}`;

afterAll(async () => {
  await hdfs.delete(topicsDirectory, { recursive: true });
  await hdfs.close();
  await feed.deleteTopics([topic]);
  await feed.close();
});

const worker = (rotateSeconds: number): WorkerProcess =>
  new WorkerProcess('workers/speed.ts', {
    TOPIC_INGESTION: topic,
    SPEED_SINKS: 'hdfs',
    SPEED_METRICS_PORT: '0',
    CONSUMER_GROUP_PREFIX: topic,
    KAFKA_SESSION_TIMEOUT_MS: '6000',
    HDFS_TOPICS_DIRECTORY: topicsDirectory,
    HDFS_ROTATE_SECONDS: String(rotateSeconds),
    SINK_RETRY_MAX_DELAY_MS: '500',
  });

const values = (count: number): string[] => Array.from({ length: count }, () => makeEnvelope());

it('a worker that was frozen until its partition had moved publishes nothing twice when it wakes', async () => {
  await feed.createTopic(topic, 1);
  const before = values(3_000);
  await feed.send(
    topic,
    before.map((value) => ({ value })),
  );

  // Its file falls due while it is frozen. It may also own the partition again in the end, and has to publish then.
  const zombie = worker(10);
  // It has read everything and holds an open file in HDFS, uncommitted.
  await eventually('the first worker holds a file', async () => {
    const files = await filesBelow(hdfs, `${topicsDirectory}/.tmp`);
    return files.length > 0;
  });
  zombie.signal('SIGSTOP');

  const heir = worker(1);
  await eventually(
    'the second worker has published',
    async () => (await readMasterData(hdfs, topicsDirectory, topic)).lines.size === 3_000,
  );
  const after = values(100);
  await feed.send(
    topic,
    after.map((value) => ({ value })),
  );
  zombie.signal('SIGCONT');
  await eventually(
    'all is published',
    async () => (await readMasterData(hdfs, topicsDirectory, topic)).lines.size === 3_100,
  );

  expect(await zombie.stop(), zombie.output).toEqual({ code: 0, signal: null });
  expect(await heir.stop(), heir.output).toEqual({ code: 0, signal: null });
  const { lines } = await readMasterData(hdfs, topicsDirectory, topic);
  expect([...lines.keys()].sort()).toEqual([...before, ...after].sort());
  expect([...lines.values()].every((count) => count === 1)).toBe(true);
  expect(await filesBelow(hdfs, `${topicsDirectory}/.tmp`)).toEqual([]);
});
