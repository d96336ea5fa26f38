import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { freePort } from '../../infra/native/ports.ts';
import { loadConfig } from '../../runtime/config.ts';
import { readMasterData } from '../hdfs-sink/master-data.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { WorkerProcess } from '../support/worker-process.ts';

const config = loadConfig();
const name = `stores-down-${randomUUID().slice(0, 8)}`;
const feed = new KafkaFeed(config.KAFKA_BROKERS);
const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: 'powergrid' });
const redisAt = new URL(config.REDIS_URL);
const redis = new Redis(`redis://${redisAt.host}/${REDIS_DATABASES.storesDown}`);
const mongodb = new MongoClient(config.MONGODB_URL);
let redisProxy: TcpProxy;
let mongodbProxy: TcpProxy;
let hdfsProxy: FaultProxy;
let worker: WorkerProcess;
let port: number;

beforeAll(async () => {
  await feed.createTopic(name, 3);
  const target = (url: URL, port: number) => ({ targetHost: url.hostname, targetPort: Number(url.port || port) });
  redisProxy = await TcpProxy.start(target(redisAt, 6379));
  mongodbProxy = await TcpProxy.start(target(new URL(config.MONGODB_URL), 27_017));
  hdfsProxy = await FaultProxy.start(config.WEBHDFS_URL[0] ?? '');
  port = await freePort();
  worker = new WorkerProcess('npm:worker:speed', {
    TOPIC_INGESTION: name,
    TOPIC_DLQ: `${name}.DLQ`,
    SPEED_SINKS: 'hdfs,redis,mongodb',
    CONSUMER_GROUP_PREFIX: name,
    SPEED_METRICS_PORT: String(port),
    HDFS_TOPICS_DIRECTORY: `/test/${name}`,
    HDFS_ROTATE_SECONDS: '1',
    HDFS_CALL_TIMEOUT_MS: '2000',
    SINK_RETRY_MAX_DELAY_MS: '1000',
    REDIS_URL: `redis://${redisProxy.address}/${REDIS_DATABASES.storesDown}`,
    MONGODB_URL: `mongodb://${mongodbProxy.address}`,
    MONGODB_DATABASE: name,
    WEBHDFS_URL: hdfsProxy.url,
  });
});

afterAll(async () => {
  await worker.kill();
  await Promise.all([redisProxy.close(), mongodbProxy.close(), hdfsProxy.close()]);
  await redis.flushdb();
  redis.disconnect();
  await mongodb.db(name).dropDatabase();
  await mongodb.close();
  await hdfs.delete(`/test/${name}`, { recursive: true });
  await hdfs.close();
  await feed.deleteTopics([name]);
  await feed.close();
});

let sent = 0;
/** Sends so many readings of sensors of their own, and returns how many were sent in all. */
async function send(count: number): Promise<number> {
  const messages = Array.from({ length: count }, (_, index) => {
    const sensorId = String(sent + index);
    return { key: sensorId, value: makeEnvelope({ sensorId }) };
  });
  await feed.send(name, messages);
  sent += count;
  return sent;
}

const inRedis = async (): Promise<number> => (await redis.keys('[0-9]*')).length;
const inMongodb = (): Promise<number> => mongodb.db(name).collection(name).countDocuments();
const inHdfs = async (): Promise<number> => (await readMasterData(hdfs, `/test/${name}`, name)).lines.size;

async function ready(): Promise<{ status: number; problems: string }> {
  const reply = await fetch(`http://127.0.0.1:${port}/readyz`);
  return { status: reply.status, problems: JSON.stringify(await reply.json()) };
}

/** Waits until each store has as many as it should. */
async function settle(expected: { redis: number; mongodb: number; hdfs: number }): Promise<void> {
  await eventually(
    `stores to have ${JSON.stringify(expected)}`,
    async () => {
      const now = { redis: await inRedis(), mongodb: await inMongodb(), hdfs: await inHdfs() };
      expect(now).toEqual(expected);
      return true;
    },
    undefined,
    500,
  );
}

it('a store that is down holds up its own sink only, which goes on by itself when the store is back', async () => {
  const first = await send(300);
  await settle({ redis: first, mongodb: first, hdfs: first });
  await eventually('ready', async () => (await ready()).status === 200);

  await redisProxy.refuse();
  const second = await send(300);
  await settle({ redis: first, mongodb: second, hdfs: second });
  await eventually('it says what is wrong', async () => (await ready()).problems.includes('redis-unavailable'));
  await redisProxy.pass();
  await settle({ redis: second, mongodb: second, hdfs: second });

  await mongodbProxy.refuse();
  hdfsProxy.add({ role: 'namenode', fault: { kind: 'status', status: 503 } });
  const third = await send(300);
  await settle({ redis: third, mongodb: second, hdfs: second });
  await eventually('it says what is wrong', async () => {
    const { status, problems } = await ready();
    return status === 503 && problems.includes('mongodb-unavailable') && problems.includes('hdfs-unavailable');
  });
  await mongodbProxy.pass();
  hdfsProxy.reset();
  await settle({ redis: third, mongodb: third, hdfs: third });
  await eventually('ready again', async () => (await ready()).status === 200);
  expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
});
