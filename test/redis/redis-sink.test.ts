import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RedisConnection } from '../../connectors/redis/connection.ts';
import { aspectKey, versionKey } from '../../connectors/redis/newest-keys.ts';
import { NewestValues } from '../../connectors/redis/newest-values.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { Routes } from '../../streaming/routes/routes-file.ts';
import { readingVersion } from '../../streaming/sinks/redis/newest-fold.ts';
import { createRedisSink } from '../../streaming/sinks/redis/redis-sink.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, contextOf, LIMITS, routesOf, SILENT } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const TOPIC = 'INGESTION';

const serverUrl = new URL(loadConfig().REDIS_URL);
const databaseUrl = `redis://${serverUrl.host}/${REDIS_DATABASES.redisSink}`;
const observer = new Redis(databaseUrl);
const connections: RedisConnection[] = [];

/** @param timeoutMs long, but where Redis fails on purpose: a busy machine may take its time. */
function connect(url = databaseUrl, timeoutMs = 30_000): RedisConnection {
  const connection = new RedisConnection({
    url,
    logger: SILENT,
    clientName: 'test',
    connectTimeoutMs: timeoutMs,
    commandTimeoutMs: timeoutMs,
  });
  connections.push(connection);
  return connection;
}

function makeSink(connection = connect(), routes: Routes = routesOf()) {
  const metrics = createMetrics('test');
  const create = createRedisSink({ values: new NewestValues(connection), routes, limits: LIMITS, metrics });
  const counts = async () => {
    const counter = await metrics.getSingleMetric('powergrid_redis_sink_records_total')?.get();
    return Object.fromEntries((counter?.values ?? []).map(({ labels, value }) => [String(labels['outcome']), value]));
  };
  return { create, counts };
}

const envelope = (sensorId: string, createdAt: string) => makeEnvelope({ sensorId, createdAt });

beforeEach(() => observer.flushdb());
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});
afterAll(async () => {
  await observer.flushdb();
  await observer.quit();
});

describe('GET of a sensor', () => {
  test('returns the newest envelope byte for byte, in whatever order readings come', async () => {
    const group = randomUUID();
    const newest = envelope('6', '1694902175.5');
    const nested = `{ "payload": {"station_id":"Zürich/1","modality":1e2,"unit":"°C","temporal_aspect":"edge_prediction"},\t"correlation_id":"x","created_at":1694902173,"schema_version":1}`;
    const context = contextOf(group, TOPIC);
    const sink = makeSink().create(context);
    expect(await sink.open()).toBe(0);
    await sink.process(batchOf(TOPIC, [envelope('6', '1694902174'), newest, envelope('6', '1694902173'), nested]));
    await sink.process(batchOf(TOPIC, [envelope('6', '1694902175.4999')], 4));
    expect(await observer.get('6')).toBe(newest);
    expect(await observer.getBuffer('Zürich/1')).toEqual(Buffer.from(nested));
    expect(context.committed).toEqual([4, 5]);
  });

  test('of two readings of the same event time returns the one with the higher offset', async () => {
    const [first, second] = [envelope('same', '1694902173.122458'), envelope('same', '1694902173.1224580')];
    const sink = makeSink().create(contextOf(randomUUID(), TOPIC));
    await sink.open();
    await sink.process(batchOf(TOPIC, [first]));
    await sink.process(batchOf(TOPIC, [second], 1));
    expect(await observer.get('same')).toBe(second);
    await sink.process(batchOf(TOPIC, [first], 0));
    expect(await observer.get('same')).toBe(second);
  });

  test('tells event times apart by digits that a double does not have', async () => {
    const older = envelope('exact', '1694902173.122458000000000001');
    const newer = envelope('exact', '1694902173.122458000000000002');
    const sink = makeSink().create(contextOf(randomUUID(), TOPIC));
    await sink.open();
    await sink.process(batchOf(TOPIC, [newer]));
    await sink.process(batchOf(TOPIC, [older], 1));
    expect(await observer.get('exact')).toBe(newer);
  });

  test('is not touched by what cannot be read, nor by routes that switch this store off', async () => {
    const routes = routesOf({
      routes: [{ name: 'no-redis', match: { aspects: ['edge_prediction'] }, sinks: { redis: false } }],
    });
    const { create, counts } = makeSink(connect(), routes);
    const sink = create(contextOf(randomUUID(), TOPIC));
    await sink.open();
    const kept = envelope('switched', '1694902173');
    await sink.process(
      batchOf(TOPIC, [
        kept,
        makeEnvelope({ sensorId: 'switched', createdAt: '1694902180', aspect: 'edge_prediction' }),
        '{"payload":',
        null,
        envelope('switched', '1694902172'),
      ]),
    );
    expect(await observer.get('switched')).toBe(kept);
    expect(await counts()).toEqual({ written: 1, 'not-newer': 1, 'switched-off': 1, unreadable: 2 });
  });

  test('works for a batch of more sensors than go into one step', async () => {
    const group = randomUUID();
    const envelopes = Array.from({ length: 5_100 }, (_, index) => envelope(`many-${index}`, '1694902173'));
    const sink = makeSink().create(contextOf(group, TOPIC));
    await sink.open();
    await sink.process(batchOf(TOPIC, envelopes));
    expect(await observer.mget(envelopes.map((_, index) => `many-${index}`))).toEqual(envelopes);
    expect(await makeSink().create(contextOf(group, TOPIC)).open()).toBe(5_100);
  });

  test('works with ids that hold braces, which Redis Cluster gives a meaning to', async () => {
    const ids = ['{6}', '6', 'a{b}c', '}{', '{}', '{6}\\'];
    const envelopes = ids.map((id, index) => envelope(id, String(1_694_902_173 + index)));
    const sink = makeSink().create(contextOf(randomUUID(), TOPIC));
    await sink.open();
    await sink.process(batchOf(TOPIC, envelopes));
    expect(await observer.mget(ids)).toEqual(envelopes);
  });
});

describe('the newest of an aspect', () => {
  const real = (createdAt: string) => makeEnvelope({ sensorId: '6', createdAt, aspect: 'real_time' });
  const predicted = (createdAt: string) => makeEnvelope({ sensorId: '6', createdAt, aspect: 'edge_prediction' });
  const shown = () => observer.mget('6', aspectKey('6', 'real_time'), aspectKey('6', 'edge_prediction'));

  test('lies beside the newest of all: a prediction for tomorrow hides no measurement of today', async () => {
    const sink = makeSink().create(contextOf(randomUUID(), TOPIC));
    await sink.open();
    const [today, tomorrow] = [real('1694902173'), predicted('1694988573')];
    await sink.process(batchOf(TOPIC, [today, tomorrow]));
    expect(await shown()).toEqual([tomorrow, today, tomorrow]);
    const later = real('1694902174');
    await sink.process(batchOf(TOPIC, [later, predicted('1694988572'), real('1694902172')], 2));
    expect(await shown()).toEqual([tomorrow, later, tomorrow]);
    const latest = real('1694988574');
    await sink.process(batchOf(TOPIC, [latest], 5));
    expect(await shown()).toEqual([latest, latest, tomorrow]);
    expect(await observer.get('{6}\u0001real_time')).toBe(latest);
  });

  test('is taken over from what was written before there was one', async () => {
    const sink = makeSink().create(contextOf(randomUUID(), TOPIC));
    await sink.open();
    const stored = predicted('1694902175');
    // As it was written then: the version of the one value alone.
    await observer.mset('6', stored, versionKey('6'), readingVersion('1694902175', 7, 0));
    const older = predicted('1694902174');
    await sink.process(batchOf(TOPIC, [older], 8));
    expect(await shown()).toEqual([stored, null, stored]);
    const measured = real('1694902173');
    await sink.process(batchOf(TOPIC, [measured], 9));
    expect(await shown()).toEqual([stored, measured, stored]);
    // A value of which no aspect can be told is kept just as well.
    await observer.mset('7', 'no JSON', versionKey('7'), readingVersion('1694902175', 7, 0));
    const ofSeven = envelope('7', '1694902174');
    await sink.process(batchOf(TOPIC, [ofSeven], 10));
    expect(await observer.get('7')).toBe('no JSON');
    expect(await observer.get(aspectKey('7', 'real_time'))).toBe(ofSeven);
  });
});

test('two competing workers, with redelivery and restarts in any order, never show an older reading after a newer one', async () => {
  const connection = [connect(), connect()] as const;
  const step = fc.record({
    worker: fc.constantFrom<0 | 1>(0, 1),
    records: fc.integer({ min: 1, max: 4 }),
    restart: fc.boolean(),
    alone: fc.boolean(),
  });
  const log = fc.array(
    fc.record({
      sensor: fc.constantFrom('a', 'b'),
      createdAt: fc.constantFrom('1694902173.1', '1694902173.10', '1694902174', '1694902172.9'),
    }),
    { minLength: 3, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(log, fc.array(step, { minLength: 4, maxLength: 30 }), async (readings, steps) => {
      const group = randomUUID();
      const prefix = `${randomUUID()}-`;
      const values = readings.map(({ sensor, createdAt }) => envelope(prefix + sensor, createdAt));
      // The order that (created_at, offset) defines: event times with as many digits as compare as text.
      const rank = new Map(
        readings
          .map(({ createdAt }, offset) => ({
            offset,
            key: `${Number(createdAt).toFixed(3)} ${String(offset).padStart(3, '0')}`,
          }))
          .sort((x, y) => (x.key < y.key ? -1 : 1))
          .map(({ offset }, position) => [values[offset] ?? '', position]),
      );
      const start = (worker: 0 | 1) => makeSink(connection[worker]).create(contextOf(group, TOPIC));
      const workers = await Promise.all(
        ([0, 1] as const).map(async (worker) => {
          const sink = start(worker);
          return { sink, at: Number(await sink.open()) };
        }),
      );
      const shown = new Map<string, number>();
      const look = async () => {
        for (const sensor of ['a', 'b']) {
          const value = await observer.get(prefix + sensor);
          const position = value === null ? -1 : (rank.get(value) ?? NaN);
          expect(position).toBeGreaterThanOrEqual(shown.get(sensor) ?? -1);
          shown.set(sensor, position);
        }
      };
      const running: Promise<void>[] = [];
      const advance = async (worker: 0 | 1, records: number) => {
        const state = workers[worker];
        if (state === undefined) return;
        const part = values.slice(state.at, state.at + records);
        if (part.length === 0) return;
        const firstOffset = state.at;
        state.at += part.length;
        await state.sink.process(batchOf(TOPIC, part, firstOffset));
      };
      for (const { worker, records, restart, alone } of steps) {
        const state = workers[worker];
        if (restart && state !== undefined) {
          await Promise.all(running.splice(0));
          // Redelivery from an earlier offset than the one it had reached.
          state.sink = start(worker);
          await state.sink.open();
          state.at = Math.max(0, state.at - records);
        }
        running.push(advance(worker, records));
        if (alone) await Promise.all(running.splice(0));
        await look();
      }
      await Promise.all(running);
      for (const worker of [0, 1] as const) await advance(worker, values.length);
      await look();
      for (const sensor of ['a', 'b']) {
        const last = Math.max(
          -1,
          ...values.filter((_, i) => readings[i]?.sensor === sensor).map((value) => rank.get(value) ?? -1),
        );
        expect(shown.get(sensor)).toBe(last);
      }
    }),
    { numRuns: 60 },
  );
});

describe('where reading starts', () => {
  test('is where Redis stands, whatever worker or process asks', async () => {
    const group = randomUUID();
    const sink = makeSink().create(contextOf(group, TOPIC, 3));
    expect(await sink.open()).toBe(0);
    await sink.process(batchOf(TOPIC, [envelope('p', '1694902173'), 'unreadable'], 40, 3));
    expect(
      await makeSink()
        .create(contextOf(group, TOPIC, 3))
        .open(),
    ).toBe(42);
    expect(
      await makeSink()
        .create(contextOf(group, TOPIC, 2))
        .open(),
    ).toBe(0);
    expect(
      await makeSink()
        .create(contextOf('other', TOPIC, 3))
        .open(),
    ).toBe(0);
  });

  test('never goes back because of a worker that is behind', async () => {
    const group = randomUUID();
    const [ahead, behind] = [makeSink().create(contextOf(group, TOPIC)), makeSink().create(contextOf(group, TOPIC))];
    await ahead.open();
    await behind.open();
    await ahead.process(batchOf(TOPIC, ['x', 'x', 'x', 'x']));
    await behind.process(batchOf(TOPIC, ['x']));
    expect(await makeSink().create(contextOf(group, TOPIC)).open()).toBe(4);
  });
});

describe('when Redis comes back older than it was', () => {
  test('emptied, it is filled again from the beginning', async () => {
    const group = randomUUID();
    const values = [envelope('lost', '1694902174'), envelope('lost-too', '1694902173')];
    const sink = makeSink().create(contextOf(group, TOPIC));
    await sink.open();
    await sink.process(batchOf(TOPIC, values));
    await observer.flushdb();
    await expect(sink.process(batchOf(TOPIC, [envelope('later', '1694902175')], 2))).rejects.toMatchObject({
      code: 'redis-rolled-back',
      retryable: true,
    });
    expect(await observer.get('later')).toBeNull();
    const again = makeSink().create(contextOf(group, TOPIC));
    expect(await again.open()).toBe(0);
    await again.process(batchOf(TOPIC, values));
    expect(await observer.mget('lost', 'lost-too')).toEqual(values);
  });

  test('with an earlier state, just what it lost is read again', async () => {
    const group = randomUUID();
    const [kept, lost] = [envelope('kept', '1694902174'), envelope('rolled', '1694902174')];
    const sink = makeSink().create(contextOf(group, TOPIC));
    await sink.open();
    await sink.process(batchOf(TOPIC, [kept]));
    const keys = await observer.keysBuffer('*');
    const saved = await Promise.all(keys.map((key) => observer.dumpBuffer(key)));
    await sink.process(batchOf(TOPIC, [lost], 1));
    await observer.flushdb();
    await Promise.all(keys.map((key, index) => observer.restore(key, 0, saved[index] ?? '')));
    await expect(sink.process(batchOf(TOPIC, ['x'], 2))).rejects.toMatchObject({ code: 'redis-rolled-back' });
    const again = makeSink().create(contextOf(group, TOPIC));
    expect(await again.open()).toBe(1);
    await again.process(batchOf(TOPIC, [lost], 1));
    expect(await observer.mget('kept', 'rolled')).toEqual([kept, lost]);
  });
});

describe('when Redis cannot be reached', () => {
  async function throughProxy() {
    const proxy = await TcpProxy.start({ targetHost: serverUrl.hostname, targetPort: Number(serverUrl.port || 6379) });
    const group = randomUUID();
    const connection = connect(`redis://${proxy.address}/${REDIS_DATABASES.redisSink}`, 1_000);
    const open = async () => {
      const sink = makeSink(connection).create(contextOf(group, TOPIC));
      return { sink, from: Number(await sink.open()) };
    };
    return { proxy, open };
  }

  test.each([
    ['its connection is refused', (proxy: TcpProxy) => proxy.refuse()],
    [
      'it hangs',
      (proxy: TcpProxy) => {
        proxy.hang();
        return Promise.resolve();
      },
    ],
  ])('because %s, the sink says so in time and goes on without loss when it is back', async (_what, cut) => {
    const { proxy, open } = await throughProxy();
    const id = randomUUID();
    const values = [envelope(id, '1694902173'), envelope(id, '1694902175')];
    const { sink } = await open();
    await sink.process(batchOf(TOPIC, values.slice(0, 1)));
    await cut(proxy);
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(sink.process(batchOf(TOPIC, values.slice(1), 1))).rejects.toMatchObject({
        code: 'redis-unavailable',
        retryable: true,
      });
      await expect(open()).rejects.toMatchObject({ code: 'redis-unavailable' });
    }
    await proxy.pass();
    const again = await eventually('Redis is back', open);
    expect([1, 2]).toContain(again.from);
    const rest = batchOf(TOPIC, values.slice(again.from), again.from);
    await eventually('the batch goes through', () => again.sink.process(rest).then(() => true));
    expect(await observer.get(id)).toBe(values[1]);
    await proxy.close();
  });

  test('for a moment while a batch is under way, the batch fails and can be repeated', async () => {
    const { proxy, open } = await throughProxy();
    const { sink } = await open();
    const values = Array.from({ length: 1_000 }, (_, index) => envelope(`cut-${index}`, '1694902173'));
    proxy.delay(50);
    const work = sink.process(batchOf(TOPIC, values));
    setTimeout(() => {
      proxy.cut();
    }, 20);
    await expect(work).rejects.toMatchObject({ code: 'redis-unavailable' });
    proxy.delay(0);
    const again = await eventually('Redis is back', open);
    await eventually('the batch goes through', () => again.sink.process(batchOf(TOPIC, values)).then(() => true));
    expect(await observer.mget(values.map((_, index) => `cut-${index}`))).toEqual(values);
    await proxy.close();
  });
});

test('a Redis that has forgotten the script is given it again', async () => {
  const sink = makeSink().create(contextOf(randomUUID(), TOPIC));
  await sink.open();
  await sink.process(batchOf(TOPIC, [envelope('script', '1694902173')]));
  await observer.script('FLUSH');
  const newer = envelope('script', '1694902174');
  await sink.process(batchOf(TOPIC, [newer], 1));
  expect(await observer.get('script')).toBe(newer);
});
