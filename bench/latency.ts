/**
 * From accepted to visible: the ingest gateway and a speed-layer worker with all its sinks, as processes of their own with
 * the flags of their npm scripts, on topics and databases of their own. Twenty times a second a batch of readings of distinct sensors
 * is posted, whether or not earlier ones have been answered; from its 202 on, Redis is asked for the last sensor of the batch until
 * it holds this batch's reading or a newer one.
 *
 *   npm run bench -- latency [--rate 2000] [--seconds 30]
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { HdfsClient } from '../connectors/hdfs/hdfs.ts';
import { ServingDatabase } from '../connectors/postgres/serving/serving-database.ts';
import { encodeEnvelope } from '../grid/envelope.ts';
import { loadConfig } from '../runtime/config.ts';
import { WorkerProcess } from '../test/support/worker-process.ts';
import { deleteTopic } from './hdfs-sink/compare/feed.ts';

const POSTS_PER_SECOND = 20;
const WARM_UP_SECONDS = 5;
const INGEST_PORT = 18_290;
const METRICS_PORT = 18_464;
/** A Redis database of its own, emptied before and after. */
const REDIS_DATABASE = 10;
const VISIBLE_TIMEOUT_MS = 30_000;

function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('must be a whole number of at least 1.');
  return Number(text);
}

const options = new Command('latency')
  .description("From the gateway's acceptance to visible in Redis")
  .option('--rate <readings>', 'readings a second, posted in 20 batches', atLeastOne, 2_000)
  .option('--seconds <seconds>', 'how long to measure, after 5 s to warm up', atLeastOne, 30)
  .parse()
  .opts<{ rate: number; seconds: number }>();
const batchReadings = Math.max(1, Math.round(options.rate / POSTS_PER_SECOND));

const config = loadConfig();
const name = `bench-latency-${randomUUID().slice(0, 8)}`;
const topics = [name, `${name}.DLQ`, `${name}.TEXT`, `${name}.AGGREGATES`];
const topicsDirectory = `/bench/${name}`;
const redisUrl = `redis://${new URL(config.REDIS_URL).host}/${REDIS_DATABASE}`;
const environment = {
  TOPIC_INGESTION: name,
  TOPIC_DLQ: `${name}.DLQ`,
  TOPIC_UNORGANIZED: `${name}.TEXT`,
  TOPIC_AGGREGATES: `${name}.AGGREGATES`,
  CONSUMER_GROUP_PREFIX: name,
  HDFS_TOPICS_DIRECTORY: topicsDirectory,
  MONGODB_DATABASE: name,
  SERVING_SCHEMA: name.replaceAll(/[^a-z0-9]/g, '_'),
  REDIS_URL: redisUrl,
  INGEST_PORT: String(INGEST_PORT),
  RAW_TEXT_PORT: '0',
  SPEED_METRICS_PORT: String(METRICS_PORT),
  PULL_SOURCES_FILE: '',
  LOG_LEVEL: 'warn',
};

const redis = new Redis(redisUrl);
const agent = new Agent({ keepAlive: true });

async function untilReady(worker: WorkerProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (!worker.isRunning) break;
    const status = await fetch(`http://localhost:${port}/readyz`).then(
      (reply) => reply.status,
      () => 0,
    );
    if (status === 200) return;
    await delay(100);
  }
  throw new Error(`a worker did not get ready:\n${worker.output}`);
}

/** Resolves at the 202. */
function post(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': Buffer.byteLength(body) };
    const sending = request(
      { host: 'localhost', port: INGEST_PORT, path: '/ingest', method: 'POST', agent, headers },
      (response) => {
        response.resume();
        if (response.statusCode === 202) resolve();
        else reject(new Error(`the gateway answered ${response.statusCode ?? 0}`));
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}

interface Sample {
  /** From sending the batch to its 202. */
  readonly acceptedMs: number;
  /** From the 202 to visible. */
  readonly visibleMs: number;
}

/** Posts batch number `index`; each sensor comes once a second. */
async function sample(index: number): Promise<Sample> {
  const first = (index % POSTS_PER_SECOND) * batchReadings;
  const createdAt = (Date.now() / 1_000).toFixed(3);
  const correlationIds = Array.from({ length: batchReadings }, () => randomUUID());
  const lines = correlationIds.map((correlationId, at) => {
    const sensorId = String(first + at);
    return encodeEnvelope({ sensorId, modality: '421.25', unit: 'MW', aspect: 'real_time', correlationId, createdAt });
  });
  const sentMs = performance.now();
  await post(lines.join('\n'));
  const acceptedAtMs = performance.now();
  const sensorId = String(first + batchReadings - 1);
  for (;;) {
    const value = await redis.get(sensorId);
    const nowMs = performance.now();
    // A newer reading of the sensor may have taken the place of this one between two looks; that shows it arrived, too.
    if (value !== null && (JSON.parse(value) as { created_at: number }).created_at >= Number(createdAt)) {
      return { acceptedMs: acceptedAtMs - sentMs, visibleMs: nowMs - acceptedAtMs };
    }
    if (nowMs - acceptedAtMs > VISIBLE_TIMEOUT_MS) throw new Error(`sensor ${sensorId} did not become visible`);
    await delay(1);
  }
}

/** Posts at the set pace for so long, and resolves when everything posted is visible. */
async function measure(seconds: number): Promise<Sample[]> {
  const startedMs = performance.now();
  const samples: Promise<Sample>[] = [];
  for (let index = 0; index < seconds * POSTS_PER_SECOND; index++) {
    await delay(Math.max(0, startedMs + (index * 1_000) / POSTS_PER_SECOND - performance.now()));
    const next = sample(index);
    // It is awaited below; until then a failure must not count as unhandled.
    next.catch(() => undefined);
    samples.push(next);
  }
  return Promise.all(samples);
}

function show(title: string, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b);
  const cells = [0.5, 0.99, 1].map((share) => (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(1));
  console.log(`| ${title} | ${cells.join(' | ')} |`);
}

async function removeTraces(): Promise<void> {
  await redis.flushdb();
  await redis.quit();
  const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
  await hdfs.delete(topicsDirectory, { recursive: true });
  await hdfs.close();
  const mongodb = new MongoClient(config.MONGODB_URL);
  await mongodb.db(name).dropDatabase();
  const serving = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: environment.SERVING_SCHEMA,
    maxConnections: 1,
    timeoutMs: 60_000,
    applicationName: 'bench',
  });
  await serving.query(`DROP SCHEMA IF EXISTS ${serving.schema} CASCADE`);
  await serving.close();
  await mongodb.close();
  const kafka = new Kafka({ clientId: 'bench', brokers: config.KAFKA_BROKERS, logLevel: logLevel.NOTHING });
  for (const topic of topics) await deleteTopic(kafka, topic);
}

const workers: WorkerProcess[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // What is being measured fails when the gateway goes; then everything is removed.
    for (const worker of workers) worker.signal('SIGTERM');
  });
}
try {
  await redis.flushdb();
  const ingest = new WorkerProcess('npm:worker:ingest', environment);
  workers.push(ingest);
  await untilReady(ingest, INGEST_PORT);
  const speed = new WorkerProcess('npm:worker:speed', environment);
  workers.push(speed);
  await untilReady(speed, METRICS_PORT);
  await measure(WARM_UP_SECONDS);
  const samples = await measure(options.seconds);
  console.log(
    `${batchReadings * POSTS_PER_SECOND} readings/s for ${options.seconds} s, ${samples.length} batches of ${batchReadings}, all sinks running\n`,
  );
  console.log('| ms | p50 | p99 | max |\n|---|---|---|---|');
  show(
    'sent → accepted (acks=all)',
    samples.map(({ acceptedMs }) => acceptedMs),
  );
  show(
    'accepted → visible in Redis',
    samples.map(({ visibleMs }) => visibleMs),
  );
} finally {
  agent.destroy();
  await Promise.all(workers.filter((worker) => worker.isRunning).map((worker) => worker.stop()));
  await removeTraces();
}
