import { randomUUID } from 'node:crypto';
import { Decimal128, MongoClient, type Document } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { MongodbConnection } from '../../connectors/mongodb/connection.ts';
import { settingsFromConfig, mongoAddresses } from '../../infra/native/settings.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { Routes } from '../../streaming/routes/routes-file.ts';
import { createMongodbSink } from '../../streaming/sinks/mongodb/mongodb-sink.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, contextOf, LIMITS, routesOf, SILENT } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const DATABASE = `test_documents_${process.pid}`;
const url = loadConfig().MONGODB_URL;
const observer = new MongoClient(url);
const database = observer.db(DATABASE);
const connections: MongodbConnection[] = [];

/** @param timeoutMs long, but where MongoDB fails on purpose: a busy machine may take its time. */
function connect(to = url, timeoutMs = 30_000): MongodbConnection {
  const connection = new MongodbConnection({
    url: to,
    database: DATABASE,
    logger: SILENT,
    applicationName: 'test',
    selectionTimeoutMs: timeoutMs,
    connectTimeoutMs: timeoutMs,
    replyTimeoutMs: timeoutMs,
  });
  connections.push(connection);
  return connection;
}

function makeSink(connection = connect(), routes: Routes = routesOf()) {
  const metrics = createMetrics('test');
  const create = createMongodbSink({ connection, routes, limits: LIMITS, metrics });
  const counts = async () => {
    const counter = await metrics.getSingleMetric('powergrid_mongodb_sink_records_total')?.get();
    return Object.fromEntries((counter?.values ?? []).map(({ labels, value }) => [String(labels['outcome']), value]));
  };
  return { create, counts };
}

/** A topic, and so a collection, of a test's own. */
const ownTopic = () => `T.${randomUUID()}`;
const documents = (topic: string) =>
  database.collection<Document & { _id: string }>(topic).find().sort({ _id: 1 }).toArray();
const ids = (topic: string, count: number) =>
  Array.from({ length: count }, (_, offset) => `${topic}+0+${offset}`).sort();

beforeAll(() => observer.connect());
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
});
afterAll(async () => {
  await database.dropDatabase();
  await observer.close();
});

describe('a record becomes a document', () => {
  test('under its place in Kafka, found by the prefix of its payload', async () => {
    const topic = ownTopic();
    const context = contextOf(randomUUID(), topic, 4);
    const sink = makeSink().create(context);
    expect(await sink.open()).toBe('committed');
    const values = [
      makeEnvelope({ sensorId: '6', createdAt: '1694902173.122458', correlationId: 'six' }),
      makeEnvelope({ sensorId: '7' }),
    ];
    await sink.process(batchOf(topic, values, 100, 4));
    const found = await database
      .collection(topic)
      .find({ payload: /^{"sensor_id": 6/ })
      .toArray();
    expect(found).toEqual([
      {
        _id: `${topic}+4+100`,
        payload: '{"sensor_id": 6, "modality": 421.50, "unit": "MW", "temporal_aspect": "real_time"}',
        correlation_id: 'six',
        created_at: 1694902173.122458,
        schema_version: 1,
      },
    ]);
    expect(context.committed).toEqual([102]);
  });

  test('with its event time exact, whatever its digits, and in order as a number', async () => {
    const topic = ownTopic();
    const times = [
      '1694902173',
      '1694902173.12245800000000001',
      '1694902173.12245800000000002',
      '1694902173.5',
      '1694902174.0',
    ];
    const sink = makeSink().create(contextOf(randomUUID(), topic));
    await sink.open();
    await sink.process(
      batchOf(
        topic,
        [...times].reverse().map((createdAt) => makeEnvelope({ createdAt })),
      ),
    );
    const found = await database
      .collection(topic)
      .find({ created_at: { $gt: 1694902172.5 } })
      .sort({ created_at: 1 })
      .toArray();
    expect(found.map(({ created_at: at }) => (at instanceof Decimal128 ? at.toString() : String(at)))).toEqual(times);
  });

  test('unless it cannot be read, or its route switches this store off', async () => {
    const topic = ownTopic();
    const routes = routesOf({ routes: [{ name: 'off', match: { sensorIds: [8] }, sinks: { mongodb: false } }] });
    const { create, counts } = makeSink(connect(), routes);
    const sink = create(contextOf(randomUUID(), topic));
    await sink.open();
    await sink.process(batchOf(topic, [null, '{', makeEnvelope({ sensorId: '8' }), makeEnvelope({ sensorId: '9' })]));
    expect((await documents(topic)).map(({ _id }) => _id)).toEqual([`${topic}+0+3`]);
    expect(await counts()).toEqual({ inserted: 1, 'switched-off': 1, unreadable: 2 });
  });

  test('with all its extra fields, strange ones within the raw text', async () => {
    const topic = ownTopic();
    const text = makeEnvelope().replace(/\}$/, ',"site":"Nord","serial":9007199254740993,"$where":"1"}');
    const sink = makeSink().create(contextOf(randomUUID(), topic));
    await sink.open();
    await sink.process(batchOf(topic, [text]));
    expect(await documents(topic)).toMatchObject([
      { site: 'Nord', serial: Decimal128.fromString('9007199254740993'), _raw: text },
    ]);
  });
});

describe('exactly one document per record', () => {
  test('remains when records are delivered again, in other batches', async () => {
    const topic = ownTopic();
    const values = Array.from({ length: 4_500 }, () => makeEnvelope());
    const { create, counts } = makeSink();
    const sink = create(contextOf(randomUUID(), topic));
    await sink.open();
    await sink.process(batchOf(topic, values.slice(0, 3_000)));
    await sink.process(batchOf(topic, values.slice(1_000), 1_000));
    await sink.process(batchOf(topic, values));
    const found = await documents(topic);
    expect(found.map(({ _id }) => _id)).toEqual(ids(topic, 4_500));
    const correlation = new Map(
      values.map((value, offset) => [`${topic}+0+${offset}`, /"correlation_id":"([^"]+)"/.exec(value)?.[1]]),
    );
    expect(found.every(({ _id, ...fields }) => fields['correlation_id'] === correlation.get(_id))).toBe(true);
    expect(await counts()).toEqual({ inserted: 4_500, present: 6_500 });
  });

  test('remains when two workers insert the same records at once', async () => {
    const topic = ownTopic();
    const values = Array.from({ length: 2_000 }, () => makeEnvelope());
    await Promise.all(
      [300, 450].map(async (size) => {
        const sink = makeSink().create(contextOf(randomUUID(), topic));
        await sink.open();
        for (let at = 0; at < values.length; at += size)
          await sink.process(batchOf(topic, values.slice(at, at + size), at));
      }),
    );
    expect((await documents(topic)).map(({ _id }) => _id)).toEqual(ids(topic, 2_000));
  });

  test('would break by another unique index, which is refused, not taken for a redelivery', async () => {
    const topic = ownTopic();
    await database.collection(topic).createIndex({ correlation_id: 1 }, { unique: true }, {});
    const sink = makeSink().create(contextOf(randomUUID(), topic));
    await sink.open();
    const twice = makeEnvelope();
    await expect(sink.process(batchOf(topic, [twice, twice]))).rejects.toMatchObject({ code: 'mongodb-refused' });
    await expect(sink.process(batchOf(topic, [twice, twice]))).rejects.toThrow(/unique index/);
  });
});

describe('when MongoDB cannot be reached', () => {
  async function throughProxy() {
    const [address] = mongoAddresses(settingsFromConfig().config.MONGODB_URL);
    const proxy = await TcpProxy.start({
      targetHost: address?.host ?? '127.0.0.1',
      targetPort: address?.port ?? 27017,
    });
    return { proxy, connection: connect(`mongodb://${proxy.address}`, 2_000) };
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
  ])('because %s, the sink says so in time and goes on without loss or doubles', async (_what, cut) => {
    const { proxy, connection } = await throughProxy();
    const topic = ownTopic();
    const values = Array.from({ length: 50 }, () => makeEnvelope());
    const open = async () => {
      const context = contextOf(randomUUID(), topic);
      const sink = makeSink(connection).create(context);
      await sink.open();
      return { sink, context };
    };
    const { sink, context } = await open();
    await sink.process(batchOf(topic, values.slice(0, 20)));
    await cut(proxy);
    await expect(sink.process(batchOf(topic, values.slice(20), 20))).rejects.toMatchObject({
      code: 'mongodb-unavailable',
      retryable: true,
    });
    expect(context.committed).toEqual([20]);
    await expect(open()).rejects.toMatchObject({ code: 'mongodb-unavailable' });
    await proxy.pass();
    const again = await eventually('MongoDB is back', open);
    const rest = batchOf(topic, values.slice(20), 20);
    await eventually('the batch goes through', () => again.sink.process(rest).then(() => true));
    expect((await documents(topic)).map(({ _id }) => _id)).toEqual(ids(topic, 50));
    await proxy.close();
  });

  test('in the middle of an insert whose answer is lost, repeating it adds nothing', async () => {
    const { proxy, connection } = await throughProxy();
    const topic = ownTopic();
    const values = Array.from({ length: 3_000 }, () => makeEnvelope());
    const sink = makeSink(connection).create(contextOf(randomUUID(), topic));
    await sink.open();
    const cutting = setInterval(() => {
      proxy.cut();
    }, 60);
    await eventually(
      'the batch goes through',
      () => sink.process(batchOf(topic, values)).then(() => true),
      500,
      10,
    ).catch(() => false);
    clearInterval(cutting);
    await eventually('the batch goes through', () => sink.process(batchOf(topic, values)).then(() => true));
    expect((await documents(topic)).map(({ _id }) => _id)).toEqual(ids(topic, 3_000));
    await proxy.close();
  });
});
