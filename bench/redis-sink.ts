/**
 * The newest-value sink: readings per second, with 10,000 sensors in random order (so that folding a batch saves little).
 *
 * - Through Kafka: the sink as the speed layer runs it, reading a topic of six partitions from its beginning to its end.
 * - Fed directly, batches of 5,000 from six partitions at once: the sink beside a guarded script call per reading and a
 *   plain SET per reading (both pipelined; the latter guarantees nothing).
 *
 *   npx tsx bench/redis-sink.ts [readings, default 600000] [runs, default 3]
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { createKafka } from '../connectors/kafka/client.ts';
import type { ConsumedBatch, PartitionContext } from '../connectors/kafka/consume/consumed.ts';
import { PartitionConsumer } from '../connectors/kafka/consume/partition-consumer.ts';
import { KafkaProducer } from '../connectors/kafka/produce/producer.ts';
import { ensureTopics } from '../connectors/kafka/topics/topics.ts';
import { RedisConnection } from '../connectors/redis/connection.ts';
import { NewestValues } from '../connectors/redis/newest-values.ts';
import { decodeEnvelope, encodeEnvelope } from '../grid/envelope.ts';
import { createRouteTable } from '../grid/route.ts';
import { loadConfig } from '../runtime/config.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { readingVersion } from '../streaming/sinks/redis/newest-fold.ts';
import { createRedisSink } from '../streaming/sinks/redis/redis-sink.ts';

const readings = Number(process.argv[2] ?? 600_000);
const runs = Number(process.argv[3] ?? 3);
const SENSORS = 10_000;
const PARTITIONS = 6;
const BATCH = 5_000;
/** A database number of its own, emptied before each run. */
const DATABASE = 11;

const config = loadConfig();
const logger = pino({ level: 'silent' });
const limits = { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: 3_600_000 };
const table = createRouteTable({
  default: {
    hdfsPath: 'dt={event_day}',
    sinks: { hdfs: true, redis: true, mongodb: true, windows: true, alarms: true },
  },
  routes: [],
});
const routes = { current: () => table };
const redisUrl = `redis://${new URL(config.REDIS_URL).host}/${DATABASE}`;
const observer = new Redis(redisUrl);
const topic = `bench.${randomUUID().slice(0, 8)}`;
const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'bench', logger });

function makeReading(index: number): { sensorId: string; value: string } {
  // A multiplicative hash: each sensor once in 10,000 readings, in an order that looks random.
  const sensorId = String((index * 7_919) % SENSORS);
  const createdAt = (1_700_000_000 + Math.floor(index / SENSORS) + (index % SENSORS) / 1_000_000).toFixed(6);
  const correlationId = `6f1b5c1e-8d5a-4b57-9c43-${String(index).padStart(12, '0')}`;
  const fields = { sensorId, modality: '421.25', unit: 'MW', aspect: 'real_time', correlationId, createdAt } as const;
  return { sensorId, value: encodeEnvelope(fields) };
}

async function fillTopic(): Promise<void> {
  await ensureTopics({
    kafka,
    logger,
    topics: [{ name: topic, partitions: PARTITIONS, replicationFactor: 1, retentionMs: -1 }],
  });
  const producer = new KafkaProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'bench',
    logger,
    queueBytes: 64 << 20,
  });
  for (let index = 0; index < readings; index += BATCH) {
    const records = Array.from({ length: Math.min(BATCH, readings - index) }, (_, at) => {
      const { sensorId, value } = makeReading(index + at);
      return { key: sensorId, value };
    });
    await producer.send(topic, records);
  }
  await producer.close(10_000);
}

function makeSink(connection: RedisConnection) {
  const values = new NewestValues(connection);
  return createRedisSink({ values, routes, limits, metrics: createMetrics('bench') });
}

/** From the first batch handed over to the last one done; joining the group is not measured. */
async function throughKafka(connection: RedisConnection): Promise<number> {
  let done = 0;
  let startedAt = 0;
  const create = makeSink(connection);
  const finished = new Promise<number>((resolve) => {
    const consumer = new PartitionConsumer({
      kafka,
      groupId: `bench-${randomUUID()}`,
      topics: [topic],
      sessionTimeoutMs: 10_000,
      maxBytesPerPartition: config.KAFKA_MAX_BYTES_PER_PARTITION,
      maxBytesPerFetch: config.KAFKA_MAX_BYTES_PER_FETCH,
      maxRetryDelayMs: 1_000,
      logger,
      createProcessor(context) {
        const processor = create(context);
        return {
          open: () => processor.open(),
          close: (reason) => processor.close(reason),
          async process(batch) {
            if (startedAt === 0) startedAt = performance.now();
            await processor.process(batch);
            done += batch.records.length;
            if (done === readings) {
              const seconds = (performance.now() - startedAt) / 1_000;
              void consumer.stop(5_000).then(() => {
                resolve(seconds);
              });
            }
          },
        };
      },
    });
    consumer.start();
  });
  return readings / (await finished);
}

/** The readings as six partitions would deliver them. */
function directBatches(): ConsumedBatch[][] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const own = Array.from({ length: Math.floor(readings / PARTITIONS) }, (__, offset) => ({
      offset,
      key: null,
      value: Buffer.from(makeReading(offset * PARTITIONS + partition).value),
      timestampMs: Date.now(),
      headers: {},
    }));
    const batches: ConsumedBatch[] = [];
    for (let at = 0; at < own.length; at += BATCH) {
      const records = own.slice(at, at + BATCH);
      const nextOffset = at + records.length;
      batches.push({ topic, partition, records, nextOffset, highWatermark: own.length, expiredOffsets: 0 });
    }
    return batches;
  });
}

const PER_READING = `
local stored = redis.call('GET', KEYS[2])
if not stored or stored < ARGV[1] then redis.call('MSET', KEYS[1], ARGV[2], KEYS[2], ARGV[1]) end`;

type Feed = (batches: readonly ConsumedBatch[]) => Promise<void>;

function contextOf(partition: number): PartitionContext {
  return {
    groupId: `bench-${randomUUID()}`,
    topic,
    partition,
    commitOffset: () => Promise.resolve(),
    fail: (error) => {
      throw error;
    },
  };
}

function feeds(connection: RedisConnection): Record<string, Feed> {
  const pipelined =
    (add: (pipeline: ReturnType<Redis['pipeline']>, id: string, version: string, value: Buffer) => unknown): Feed =>
    async (batches) => {
      for (const { records, partition } of batches) {
        const pipeline = observer.pipeline();
        for (const { value, offset, timestampMs } of records) {
          const decoded = decodeEnvelope(value, timestampMs, limits);
          if (!decoded.ok || value === null) throw new Error('unreadable');
          const { sensorId, createdAt } = decoded.reading;
          add(pipeline, sensorId, readingVersion(createdAt, offset, partition), value);
        }
        await pipeline.exec();
      }
    };
  return {
    'the sink': async (batches) => {
      const processor = makeSink(connection)(contextOf(batches[0]?.partition ?? 0));
      await processor.open();
      for (const batch of batches) await processor.process(batch);
    },
    'a script call per reading': pipelined((pipeline, id, version, value) =>
      pipeline.evalsha(perReadingSha, 2, id, `{${id}}v`, version, value),
    ),
    'a plain SET per reading': pipelined((pipeline, id, _version, value) => pipeline.set(id, value)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

const show = (name: string, rates: readonly number[]) => {
  const sorted = [...rates].sort((a, b) => a - b).map((rate) => Math.round(rate / 100) / 10);
  console.log(`  ${name.padEnd(28)} ${(median(rates) / 1_000).toFixed(1).padStart(6)}k/s   (${sorted.join(', ')})`);
};

const perReadingSha = String(await observer.script('LOAD', PER_READING));
const connection = new RedisConnection({ url: redisUrl, logger, clientName: 'bench', commandTimeoutMs: 30_000 });
try {
  const appendOnly = /aof_enabled:1/.test(await observer.info('persistence')) ? 'on' : 'OFF';
  console.log(`${readings} readings of ${SENSORS} sensors, medians of ${runs}; Redis append-only file ${appendOnly}`);
  await fillTopic();
  const rates: number[] = [];
  for (let run = 0; run <= runs; run++) {
    await observer.flushdb();
    const rate = await throughKafka(connection);
    const keys = await observer.dbsize();
    if (keys !== 2 * SENSORS + 1) throw new Error(`${keys} keys in Redis`);
    // The first run warms up.
    if (run > 0) rates.push(rate);
  }
  console.log('through Kafka');
  show('the sink', rates);

  const batches = directBatches();
  const direct = new Map<string, number[]>();
  for (let run = 0; run <= runs; run++) {
    for (const [name, feed] of Object.entries(feeds(connection))) {
      await observer.flushdb();
      await delay(500);
      const startedAt = performance.now();
      await Promise.all(batches.map(feed));
      const rate = readings / ((performance.now() - startedAt) / 1_000);
      if (run > 0) direct.set(name, [...(direct.get(name) ?? []), rate]);
    }
  }
  console.log('fed directly');
  for (const [name, list] of direct) show(name, list);
} finally {
  await observer.flushdb();
  await observer.quit();
  await connection.close();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}
