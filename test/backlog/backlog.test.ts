import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { afterAll, expect, it } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { readCommits } from '../hdfs-sink/master-data.ts';

const SENSORS = 10_000;
const RECORDS = sized(1_000_000, 3_000_000);
const PARTITIONS = 6;
/** What operators are promised of a worker that runs every sink, whatever the backlog: 64 MiB for each of the seven. */
const RESIDENT_LIMIT_MIB = 448;
/** A file per partition and event day, plus what rotation by age adds in the time that this takes. */
const FILES_LIMIT = 200;

const config = loadConfig();
const feed = new KafkaFeed(config.KAFKA_BROKERS);
const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: 'powergrid' });
const name = `backlog-${randomUUID().slice(0, 8)}`;
const topicsDirectory = `/test/${name}`;
const environment = {
  TOPIC_INGESTION: name,
  TOPIC_DLQ: `${name}.DLQ`,
  TOPIC_UNORGANIZED: `${name}.TEXT`,
  TOPIC_AGGREGATES: `${name}.AGGREGATES`,
  TOPIC_ALARMS: `${name}.ALARMS`,
  TOPIC_PARTITIONS: String(PARTITIONS),
  CONSUMER_GROUP_PREFIX: name,
  HDFS_TOPICS_DIRECTORY: topicsDirectory,
  MONGODB_DATABASE: name,
  SERVING_SCHEMA: name.replaceAll('-', '_'),
  REDIS_URL: `redis://${new URL(config.REDIS_URL).host}/${REDIS_DATABASES.backlog}`,
  SPEED_METRICS_PORT: '0',
  SIMULATOR_METRICS_PORT: '0',
  LOG_LEVEL: 'warn',
};

const serving = new ServingDatabase({
  url: config.SERVING_DATABASE_URL,
  schema: environment.SERVING_SCHEMA,
  maxConnections: 1,
  timeoutMs: 60_000,
  applicationName: 'test',
});

afterAll(async () => {
  await serving.query(`DROP SCHEMA IF EXISTS ${serving.schema} CASCADE`);
  await serving.close();
  await hdfs.delete(topicsDirectory, { recursive: true });
  await hdfs.close();
  const topics = [name, `${name}.DLQ`, `${name}.TEXT`, `${name}.AGGREGATES`, `${name}.ALARMS`];
  await feed.deleteTopics(topics).catch(() => undefined);
  await feed.close();
  const mongodb = new MongoClient(config.MONGODB_URL);
  await mongodb.db(name).dropDatabase();
  await mongodb.close();
  const redis = new Redis(environment.REDIS_URL);
  await redis.flushdb();
  redis.disconnect();
});

it(`a worker with every sink catches up on ${RECORDS / 1e6} million records of 10,000 sensors within its memory, in large files`, async () => {
  const simulator = new WorkerProcess('npm:worker:simulator', {
    ...environment,
    SIMULATOR_SENSORS: String(SENSORS),
    SIMULATOR_COUNT: String(RECORDS),
  });
  expect(await simulator.ended, simulator.output).toEqual({ code: 0, signal: null });

  const worker = new WorkerProcess('npm:worker:speed', environment);
  await eventually(
    'HDFS, Redis, the windows, the alarms and the router have caught up',
    async () => {
      expect(worker.isRunning, worker.output).toBe(true);
      const lags = await Promise.all(
        ['hdfs', 'redis', 'windows', 'alarms', 'router'].map((sink) => feed.lag(`${name}.${sink}`, name)),
      );
      return lags.every((lag) => lag === 0);
    },
    600_000,
    2_000,
  );
  const peakResidentMiB = worker.peakResidentMiB;
  expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });

  const commits = (await readCommits(hdfs, topicsDirectory, name, PARTITIONS)).flat();
  expect(commits.reduce((sum, commit) => sum + commit.records, 0)).toBe(RECORDS);
  expect(commits.flatMap((commit) => commit.files).length).toBeLessThan(FILES_LIMIT);
  // Duplicates are made by none of its sensors.
  const [added] = await serving.query<{ readings: string }>(
    `SELECT sum(reading_count) AS readings FROM ${serving.schema}.speed_view WHERE resolution = 'day'`,
  );
  expect(Number(added?.readings)).toBe(RECORDS);
  expect(peakResidentMiB).toBeLessThan(RESIDENT_LIMIT_MIB);
}, 900_000);
