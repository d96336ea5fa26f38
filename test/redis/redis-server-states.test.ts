import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RedisConnection } from '../../connectors/redis/connection.ts';
import { NewestValues } from '../../connectors/redis/newest-values.ts';
import { bringUp, kill } from '../../infra/native/stack.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createRedisSink } from '../../streaming/sinks/redis/redis-sink.ts';
import { makePrivateStack, removePrivateStack, type PrivateStack } from '../stack/private-stack.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, contextOf, LIMITS, routesOf, SILENT } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';

const TOPIC = 'INGESTION';

let stack: PrivateStack;
let url: string;
const connections: RedisConnection[] = [];

beforeAll(async () => {
  stack = await makePrivateStack();
  url = `redis://127.0.0.1:${stack.ports.redis}`;
  await bringUp(['redis'], stack);
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});
afterAll(() => removePrivateStack(stack));

async function openSink(group = randomUUID()) {
  const connection = new RedisConnection({ url, logger: SILENT, clientName: 'test', connectTimeoutMs: 1_000 });
  connections.push(connection);
  const values = new NewestValues(connection);
  const create = createRedisSink({ values, routes: routesOf(), limits: LIMITS, metrics: createMetrics('test') });
  const sink = create(contextOf(group, TOPIC));
  return { sink, from: Number(await sink.open()) };
}

async function withRedis<T>(use: (redis: Redis) => Promise<T>, password?: string): Promise<T> {
  const redis = new Redis(url, password === undefined ? {} : { password });
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

test('after Redis was killed every value is there or is read again from the position that Redis kept', async () => {
  const group = randomUUID();
  const { sink } = await openSink(group);
  const values = Array.from({ length: 500 }, (_, index) =>
    makeEnvelope({ sensorId: `survivor-${index}`, createdAt: '1694902173.5' }),
  );
  for (let at = 0; at < values.length; at += 100) {
    await sink.process(batchOf(TOPIC, values.slice(at, at + 100), at));
  }
  expect(kill('redis', 'SIGKILL', stack)).toBe(1);
  await expect(
    eventually('the connection is lost', () =>
      sink.process(batchOf(TOPIC, [], 500)).then(
        () => undefined,
        (error: unknown) => error as Error,
      ),
    ),
  ).resolves.toMatchObject({ code: 'redis-unavailable' });

  await bringUp(['redis'], stack);
  const again = await eventually('the sink opens again', () => openSink(group));
  const shown = (count: number) =>
    count === 0 ? [] : withRedis((redis) => redis.mget(values.slice(0, count).map((_, index) => `survivor-${index}`)));
  // With appendfsync everysec the last writes may be gone, though Redis acknowledged them; then the position is as well.
  expect(await shown(again.from)).toEqual(values.slice(0, again.from));
  await again.sink.process(batchOf(TOPIC, values.slice(again.from), again.from));
  expect(await shown(500)).toEqual(values);
  const older = makeEnvelope({ sensorId: 'survivor-7', createdAt: '1694902173.4' });
  await again.sink.process(batchOf(TOPIC, [older], 500));
  expect(await withRedis((redis) => redis.get('survivor-7'))).toBe(values[7]);
});

test('a full Redis refuses, says what to do, and takes the same batch once it has room', async () => {
  const { sink } = await openSink();
  const value = makeEnvelope({ sensorId: 'full', createdAt: '1694902173' });
  await withRedis((redis) => redis.config('SET', 'maxmemory', '1'));
  await expect(sink.process(batchOf(TOPIC, [value]))).rejects.toMatchObject({ code: 'redis-refused' });
  await expect(sink.process(batchOf(TOPIC, [value]))).rejects.toThrow(/maxmemory/);
  await withRedis((redis) => redis.config('SET', 'maxmemory', '0'));
  await sink.process(batchOf(TOPIC, [value]));
  expect(await withRedis((redis) => redis.get('full'))).toBe(value);
});

test('a Redis that is a replica for now refuses, and takes the batch when it is a primary again', async () => {
  const { sink } = await openSink();
  const value = makeEnvelope({ sensorId: 'replica', createdAt: '1694902173' });
  await withRedis((redis) => redis.replicaof('127.0.0.1', 1));
  await expect(sink.process(batchOf(TOPIC, [value]))).rejects.toThrow(/replica|MASTERDOWN|Stream/);
  await withRedis((redis) => redis.replicaof('NO', 'ONE'));
  await eventually('the batch is taken', () => sink.process(batchOf(TOPIC, [value])).then(() => true));
  expect(await withRedis((redis) => redis.get('replica'))).toBe(value);
});

test('a Redis that asks for a password is refused with a sentence that names it', async () => {
  await withRedis((redis) => redis.config('SET', 'requirepass', 'secret'));
  try {
    await expect(openSink()).rejects.toMatchObject({ code: 'redis-refused' });
    await expect(openSink()).rejects.toThrow(/password/);
  } finally {
    await withRedis((redis) => redis.config('SET', 'requirepass', ''), 'secret');
  }
});
