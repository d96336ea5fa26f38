import { randomUUID } from 'node:crypto';
import { snappyCompress } from 'hysnappy';
import kafkajs, { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../connectors/kafka/client.ts';
import { PartitionConsumer } from '../../connectors/kafka/consume/partition-consumer.ts';
import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { numbers, Recorder } from '../support/partition-recorder.ts';
import { SILENT } from '../support/partitions.ts';

const brokers = loadConfig().KAFKA_BROKERS;
const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
const topics: string[] = [];
const running: PartitionConsumer[] = [];

beforeAll(() => Promise.all([admin.connect(), producer.connect()]));
afterEach(async () => {
  await Promise.all(running.splice(0).map((consumer) => consumer.stop(2_000)));
});
afterAll(async () => {
  await admin.deleteTopics({ topics });
  await Promise.all([admin.disconnect(), producer.disconnect()]);
});

async function makeTopic(partitions: number, settings: Readonly<Record<string, string>> = {}): Promise<string> {
  const topic = `compressed-${randomUUID()}`;
  topics.push(topic);
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions, configEntries }] });
  return topic;
}

function read(topic: string, recorder: Recorder, lost: number[] = []): PartitionConsumer {
  const consumer = new PartitionConsumer({
    kafka: createKafka({ brokers, clientId: 'test', logger: SILENT }),
    groupId: `group-${randomUUID()}`,
    topics: [topic],
    createProcessor: recorder.create,
    logger: SILENT,
    sessionTimeoutMs: 6_000,
    maxBytesPerPartition: 1_048_576,
    maxBytesPerFetch: 2_097_152,
    maxRetryDelayMs: 500,
    observer: {
      batchProcessed: () => undefined,
      partitionFailed: () => undefined,
      recordsExpired: (_topic, _partition, count) => lost.push(count),
    },
  });
  running.push(consumer);
  consumer.start();
  return consumer;
}

const messages = (values: readonly string[], partition = 0): Message[] =>
  values.map((value) => ({ partition, key: `key of ${value}`, value, headers: { number: value } }));

describe('records that are compressed', () => {
  it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
    'by the broker with %s are read, and our own producer writes to such a topic',
    async (codec) => {
      const topic = await makeTopic(1, { 'compression.type': codec });
      const values = numbers(3_000);
      await producer.send({ topic, acks: -1, messages: messages(values.slice(0, 2_000)) });
      const own = new KafkaProducer({ brokers, clientId: 'test', logger: SILENT, queueBytes: 1 << 20 });
      await own.send(
        topic,
        values.slice(2_000).map((value) => ({ key: null, value })),
      );
      await own.close(5_000);
      const recorder = new Recorder();
      read(topic, recorder);
      await eventually('all is read', () => recorder.count(0) === 3_000);
      expect(recorder.values.get(0)).toEqual(values);
      expect(recorder.records[1_999]).toEqual({ key: 'key of 1999', headers: { number: '1999' } });
      expect(recorder.records[2_999]).toEqual({ key: null, headers: {} });
    },
  );

  it('by a producer that does not frame Snappy as the Java client does are read', async () => {
    const { CompressionCodecs } = kafkajs;
    CompressionCodecs[CompressionTypes.Snappy] = () => ({
      compress: (encoder: { buffer: Buffer }) => Promise.resolve(Buffer.from(snappyCompress(encoder.buffer))),
      decompress: () => Promise.reject(new Error('never asked for')),
    });
    const topic = await makeTopic(1);
    const values = numbers(2_000);
    await producer.send({ topic, acks: -1, compression: CompressionTypes.Snappy, messages: messages(values) });
    const recorder = new Recorder();
    read(topic, recorder);
    await eventually('all is read', () => recorder.count(0) === 2_000);
    expect(recorder.values.get(0)).toEqual(values);
  });

  it('are read from the middle of a batch on', async () => {
    const topic = await makeTopic(1, { 'compression.type': 'zstd' });
    await producer.send({ topic, acks: -1, messages: messages(numbers(100)) });
    const recorder = new Recorder();
    recorder.startAt = 63;
    read(topic, recorder);
    await eventually('the rest is read', () => recorder.count(0) === 37);
    expect(recorder.values.get(0)).toEqual(numbers(37, 63));
  });
});

describe('a batch that cannot be decoded', () => {
  it('stops its partition alone and says where; what lies before it is read, and behind it once it is deleted', async () => {
    const topic = await makeTopic(3);
    await producer.send({ topic, acks: -1, messages: messages(numbers(5), 1) });
    // Some bytes in Kafka, 40 MB decompressed: more than is ever unpacked at once.
    const bomb = { partition: 1, value: Buffer.alloc(40_000_000) };
    await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages: [bomb] });
    await producer.send({ topic, acks: -1, messages: messages(numbers(5, 5), 1) });
    for (const partition of [0, 2]) {
      await producer.send({ topic, acks: -1, messages: messages(numbers(50), partition) });
    }
    const recorder = new Recorder();
    const lost: number[] = [];
    const consumer = read(topic, recorder, lost);
    await eventually('all that can be is read', () =>
      [50, 5, 50].every((count, partition) => recorder.count(partition) === count),
    );
    await eventually('it says so', () => consumer.problems().includes(`${topic}/1 waits: batch-undecodable`));
    const stalled = consumer.status().find(({ partition }) => partition === 1);
    expect(stalled).toMatchObject({ state: 'stalled', position: 5 });
    expect(stalled?.lastError?.message).toContain(`${topic}/1 from offset 5 to 5`);
    // The others go on, and the processor of the stalled one has not been closed.
    await producer.send({ topic, acks: -1, messages: messages(numbers(50, 50), 0) });
    await eventually('the others go on', () => recorder.count(0) === 100);
    expect(recorder.closes).toEqual([]);
    await eventually('its lag is true', () => consumer.status().find(({ partition }) => partition === 1)?.lag === 6);

    // kafkajs deletes records only of topics that it has asked about before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '6' }] });
    await eventually('the rest is read', () => recorder.count(1) === 10);
    expect(recorder.values.get(1)).toEqual(numbers(10));
    expect(lost).toEqual([1]);
    await eventually('all is well', () => consumer.problems().length === 0);
  });
});
