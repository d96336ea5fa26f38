import { randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { MongoClient, type Document } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics } from '../support/kafka-topics.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';

const PARTITIONS = 4;
const SENSORS = 20;
const KILLS = sized(4, 6);

const config = loadConfig();
const topics = new KafkaTopics(config.KAFKA_BROKERS);
const id = randomUUID().slice(0, 6);
const source = topics.name(`${id}.INGESTION`);
const deadLetters = topics.name(`${id}.DLQ`);
const copies = topics.name(`${id}.SENSOR_ID_6`);
const group = `test-${id}`;
const redisUrl = `redis://${new URL(config.REDIS_URL).host}/${REDIS_DATABASES.killedWorkers}`;
const database = `test_killed_${process.pid}`;

const redis = new Redis(redisUrl);
const mongo = new MongoClient(config.MONGODB_URL);
const workers = new Set<WorkerProcess>();
let directory: string;
let environment: Record<string, string>;

beforeAll(async () => {
  await redis.flushdb();
  await topics.create(source, PARTITIONS);
  directory = await mkdtemp(join(tmpdir(), 'powergrid-routes-'));
  const routesFile = join(directory, 'routes.json');
  await writeFile(routesFile, JSON.stringify({ routes: [{ name: 'six', match: { sensorIds: [6] }, topic: copies }] }));
  environment = {
    SPEED_SINKS: 'redis,mongodb,router',
    TOPIC_INGESTION: source,
    TOPIC_DLQ: deadLetters,
    CONSUMER_GROUP_PREFIX: group,
    KAFKA_SESSION_TIMEOUT_MS: '6000',
    // Small batches, so that a kill falls between and into many.
    KAFKA_MAX_BYTES_PER_PARTITION: '8192',
    ROUTES_FILE: routesFile,
    REDIS_URL: redisUrl,
    MONGODB_DATABASE: database,
    SINK_RETRY_MAX_DELAY_MS: '1000',
  };
});

afterAll(async () => {
  await Promise.all([...workers].map((worker) => worker.kill()));
  await redis.flushdb();
  await redis.quit();
  await mongo.db(database).dropDatabase();
  await mongo.close();
  await topics.remove();
  await rm(directory, { recursive: true, force: true });
});

test('workers killed again and again leave each store with each record exactly once, and the newest value of each sensor', async () => {
  const start = () => {
    const worker = new WorkerProcess('workers/speed.ts', environment);
    workers.add(worker);
    return worker;
  };
  const newest = new Map<string, { readonly createdAt: number; readonly value: string }>();
  const sixes: string[] = [];
  const bad: string[] = [];
  let sent = 0;
  let feeding = true;
  const feed = async (): Promise<void> => {
    for (let round = 0; feeding; round++) {
      const messages = Array.from({ length: 300 }, () => {
        const sensorId = String(randomInt(SENSORS));
        if (randomInt(30) === 0) {
          const value = `bad ${randomUUID()}`;
          bad.push(value);
          return { key: sensorId, value };
        }
        // Out of order, never twice the same.
        const createdAt = 1_700_000_000 + round + randomInt(5) + ++sent / 1_000_000;
        const value = makeEnvelope({ sensorId, createdAt: createdAt.toFixed(6) });
        if (sensorId === '6') sixes.push(value);
        if (createdAt > (newest.get(sensorId)?.createdAt ?? 0)) newest.set(sensorId, { createdAt, value });
        return { key: sensorId, value };
      });
      await topics.send(source, messages);
      await delay(200);
    }
  };
  const feeder = feed();
  const survivor = start();
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = start();
    await eventually('it has partitions', () => victim.output.includes('partitions assigned') || !victim.isRunning);
    await delay(500 + randomInt(2_000));
    expect(victim.isRunning, victim.output).toBe(true);
    await victim.kill();
  }
  feeding = false;
  await feeder;
  for (const sink of ['redis', 'mongodb', 'router']) {
    await eventually(
      `${sink} has read all`,
      async () => (await topics.lag(`${group}.${sink}`, source)) === 0,
      undefined,
      500,
    );
  }
  expect((await survivor.stop()).code, survivor.output).toBe(0);

  for (const [sensorId, { value }] of newest) expect(await redis.get(sensorId)).toBe(value);

  const records = await topics.read(source);
  const readable = records.filter(({ value }) => value?.toString().startsWith('{') === true);
  const documents = await mongo.db(database).collection<Document & { _id: string }>(source).find().toArray();
  expect(documents.map(({ _id }) => _id).sort()).toEqual(
    readable.map(({ partition, offset }) => `${source}+${partition}+${offset}`).sort(),
  );

  const letters = await topics.read(deadLetters);
  expect(letters.map(({ value }) => value?.toString()).sort()).toEqual(bad.sort());
  const place = new Map(records.map(({ partition, offset, value }) => [value?.toString(), `${partition}/${offset}`]));
  for (const { value, headers } of letters) {
    expect(`${String(headers['source-partition'])}/${String(headers['source-offset'])}`).toBe(
      place.get(value?.toString()),
    );
  }
  expect((await topics.read(copies)).map(({ value }) => value?.toString()).sort()).toEqual(sixes.sort());
});
