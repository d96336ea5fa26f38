import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createKafka } from '../../connectors/kafka/client.ts';
import { partitionOfKey } from '../../connectors/kafka/produce/murmur2.ts';
import { createProducerMetrics } from '../../connectors/kafka/produce/producer-metrics.ts';
import { KafkaProducer, type KafkaProducerOptions } from '../../connectors/kafka/produce/producer.ts';
import { ensureTopics } from '../../connectors/kafka/topics/topics.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { loadConfig } from '../../runtime/config.ts';
import { SILENT, TopicBed } from './topic-bed.ts';

const topics = new TopicBed();
const producers: KafkaProducer[] = [];

function makeProducer(options: Partial<KafkaProducerOptions> = {}): KafkaProducer {
  const producer = new KafkaProducer({
    brokers: loadConfig().KAFKA_BROKERS,
    clientId: 'test-producer',
    logger: SILENT,
    queueBytes: 32 << 20,
    ...options,
  });
  producers.push(producer);
  return producer;
}

afterEach(async () => {
  await Promise.all(producers.splice(0).map((producer) => producer.close(1_000)));
});
afterAll(() => topics.cleanUp());

describe('a producer', () => {
  it('writes what many callers send at once, each record once, in the order of each key', async () => {
    const topic = await topics.create('order');
    const metrics = createMetrics('test');
    const producer = makeProducer({ metrics: createProducerMetrics(metrics) });
    const sending = Array.from({ length: 200 }, (_, call) =>
      producer.send(
        topic,
        Array.from({ length: 20 }, (__, index) => ({ key: `s${index % 10}`, value: `${call}-${index}` })),
      ),
    );
    await Promise.all(sending);
    const records = await topics.read(topic);
    expect(records).toHaveLength(4_000);
    for (let key = 0; key < 10; key++) {
      const values = records.filter((record) => record.key === `s${key}`).map(({ value }) => value.toString());
      const expected = Array.from({ length: 200 }, (_, call) => [`${call}-${key}`, `${call}-${key + 10}`]).flat();
      expect(values).toEqual(expected);
    }
    expect(new Set(records.map(({ key, partition }) => partition - partitionOfKey(key ?? '', 6)))).toEqual(
      new Set([0]),
    );
    expect(producer.queuedBytes).toBe(0);
    const told = await metrics.metrics();
    expect(told).toContain(`powergrid_producer_acknowledged_records_total{topic="${topic}",process="test"} 4000`);
    expect(told).toContain('powergrid_producer_queue_bytes{process="test"} 0');
  });

  it('keeps keys, values and headers as they are, null and empty ones too', async () => {
    const topic = await topics.create('bytes', 1);
    const bytes = Buffer.from([0, 0xff, 0x0a]);
    await makeProducer().send(topic, [
      { key: Buffer.from('k'), value: bytes, headers: { part: '0', raw: Buffer.from('ä') } },
      { key: null, value: '' },
      { key: null, value: null },
    ]);
    const [first, second, third] = await topics.read(topic);
    expect(first).toMatchObject({ key: 'k', headers: { part: '0', raw: 'ä' } });
    expect(first?.value.equals(bytes)).toBe(true);
    expect([second?.key, second?.value.length, third?.value.length]).toEqual([undefined, 0, 0]);
  });

  it('keeps the records of a call that have no key together, and spreads calls over the partitions', async () => {
    const topic = await topics.create('spread');
    const producer = makeProducer();
    for (let call = 0; call < 12; call++) {
      await producer.send(
        topic,
        [0, 1, 2].map((index) => ({ key: null, value: `${call}-${index}` })),
      );
    }
    const records = await topics.read(topic);
    const partitions = new Map<string, Set<number>>();
    for (const { value, partition } of records) {
      const call = value.toString().split('-')[0] ?? '';
      partitions.set(call, (partitions.get(call) ?? new Set()).add(partition));
    }
    expect([...partitions.values()].every((used) => used.size === 1)).toBe(true);
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(6);
  });

  it('writes in smaller batches where the topic does not allow large ones', async () => {
    const topic = await topics.create('small-batches', 1, { 'max.message.bytes': '20000' });
    const values = Array.from({ length: 500 }, (_, index) => `${index}`.padEnd(400, 'x'));
    await makeProducer().send(
      topic,
      values.map((value) => ({ key: 'k', value })),
    );
    expect(await topics.values(topic)).toEqual(values);
  });

  it('refuses a record that the topic does not allow, and none of the others', async () => {
    const topic = await topics.create('small-records', 1, { 'max.message.bytes': '20000' });
    const producer = makeProducer();
    const large = producer.send(topic, [{ key: 'k', value: 'x'.repeat(30_000) }]);
    const small = producer.send(topic, [{ key: 'k', value: 'small' }]);
    await expect(large).rejects.toMatchObject({ code: 'kafka-refused' });
    await small;
    expect(await topics.values(topic)).toEqual(['small']);
    await expect(producer.send(topic, [{ key: 'k', value: 'x'.repeat(1_100_000) }])).rejects.toMatchObject({
      code: 'kafka-refused',
    });
    expect(producer.queuedBytes).toBe(0);
  });

  it('refuses a topic that does not exist, makes none, and goes on with others', async () => {
    const missing = topics.name('missing');
    const producer = makeProducer();
    await expect(producer.send(missing, [{ key: 'k', value: 'v' }])).rejects.toMatchObject({ code: 'kafka-refused' });
    await expect(producer.check(missing)).rejects.toMatchObject({ code: 'kafka-refused' });
    const topic = await topics.create('other');
    await producer.send(topic, [{ key: 'k', value: 'v' }]);
    await producer.check(topic);
    expect(producer.queuedBytes).toBe(0);
  });

  it('waits for a topic that is just being made', async () => {
    const topic = topics.name('late');
    const sending = makeProducer().send(topic, [{ key: 'k', value: 'v' }]);
    await sleep(500);
    await topics.make(topic, 3);
    await sending;
    expect(await topics.values(topic)).toEqual(['v']);
  });

  it('refuses a topic that is deleted under it, and goes on with others', async () => {
    const [gone, other] = [await topics.create('gone'), await topics.create('stays')];
    const producer = makeProducer();
    await producer.send(gone, [{ key: 'k', value: 'v' }]);
    await producer.send(other, [{ key: 'k', value: '1' }]);
    const admin = createKafka({ brokers: loadConfig().KAFKA_BROKERS, clientId: 'test', logger: SILENT }).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [gone] });
    await admin.disconnect();
    const [refused, written] = await Promise.allSettled([
      producer.send(gone, [{ key: 'k', value: 'v' }]),
      producer.send(other, [{ key: 'k', value: '2' }]),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'kafka-refused' } });
    expect(written).toMatchObject({ status: 'fulfilled' });
    expect(await topics.values(other)).toEqual(['1', '2']);
  });

  it('refuses at once what passes its bound, with nothing queued, and lets in who waits for room', async () => {
    const topic = await topics.create('bound');
    const producer = makeProducer({ queueBytes: 100_000 });
    const record = { key: 'k', value: 'x'.repeat(10_000) };
    const nine = Array.from({ length: 9 }, () => producer.send(topic, [record]));
    await expect(producer.send(topic, [record, record])).rejects.toMatchObject({
      code: 'producer-queue-full',
      httpStatus: 429,
    });
    const waited = producer.ready(50_000).then(() => producer.send(topic, [record]));
    await Promise.all([...nine, waited]);
    expect(await topics.values(topic)).toHaveLength(10);
  });

  it('writes what it holds when it is closed, and takes nothing more', async () => {
    const topic = await topics.create('close');
    const producer = makeProducer();
    const sending = Array.from({ length: 20 }, (_, call) =>
      producer.send(
        topic,
        Array.from({ length: 500 }, (__, index) => ({ key: String(index), value: String(call) })),
      ),
    );
    await producer.close(20_000);
    await Promise.all(sending);
    await expect(producer.send(topic, [{ key: 'k', value: 'v' }])).rejects.toMatchObject({ code: 'shutting-down' });
    await producer.ready(1 << 30);
    expect(await topics.values(topic)).toHaveLength(10_000);
  });
});

describe('topics', () => {
  const kafka = createKafka({ brokers: loadConfig().KAFKA_BROKERS, clientId: 'test-topics', logger: SILENT });

  it('are made once, with the settings that the project needs', async () => {
    const [first, second] = [topics.name('made'), topics.name('made')];
    const spec = { partitions: 3, replicationFactor: 1, retentionMs: -1 };
    const specs = [first, second].map((name) => ({ name, ...spec }));
    const made = await Promise.all([
      ensureTopics({ kafka, topics: specs, logger: SILENT }),
      ensureTopics({ kafka, topics: specs, logger: SILENT }),
    ]);
    expect(made.flat().sort()).toEqual([first, second].sort());
    expect(await ensureTopics({ kafka, topics: specs, logger: SILENT })).toEqual([]);
    const { partitions, settings } = await topics.describe(first);
    expect(partitions).toBe(3);
    expect(settings.get('message.timestamp.type')).toBe('LogAppendTime');
    expect(settings.get('retention.ms')).toBe('-1');
  });

  it('that cannot be made are told with what to change', async () => {
    const spec = { name: topics.name('three'), partitions: 1, replicationFactor: 3, retentionMs: -1 };
    await expect(ensureTopics({ kafka, topics: [spec], logger: SILENT })).rejects.toMatchObject({
      code: 'kafka-refused',
      message: expect.stringContaining('TOPIC_REPLICATION_FACTOR') as string,
    });
  });
});
