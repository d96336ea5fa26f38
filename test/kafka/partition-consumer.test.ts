import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../../connectors/kafka/client.ts';
import type { PartitionContext, PartitionProcessor } from '../../connectors/kafka/consume/consumed.ts';
import type { ConsumerObserver } from '../../connectors/kafka/consume/owned-partition.ts';
import { PartitionConsumer } from '../../connectors/kafka/consume/partition-consumer.ts';
import { GridError } from '../../grid/errors.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { numbers, Recorder } from '../support/partition-recorder.ts';
import { SILENT } from '../support/partitions.ts';

const brokers = loadConfig().KAFKA_BROKERS;
const feed = new KafkaFeed(brokers);
const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
let topic = '';
let group = '';
const running: PartitionConsumer[] = [];
const topics: string[] = [];

beforeAll(() => admin.connect());
afterAll(async () => {
  await admin.deleteTopics({ topics });
  await admin.disconnect();
  await feed.close();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((consumer) => consumer.stop(2_000)));
});

async function makeTopic(partitions: number): Promise<void> {
  topic = `consumer-${randomUUID()}`;
  group = `group-${randomUUID()}`;
  topics.push(topic);
  await feed.createTopic(topic, partitions);
}

/** Values `<from>` … `<from + count - 1>` into one partition. */
const write = (partition: number, from: number, count: number): Promise<void> =>
  feed.send(
    topic,
    Array.from({ length: count }, (_, index) => ({ partition, value: String(from + index) })),
  );

function start(
  createProcessor: (context: PartitionContext) => PartitionProcessor,
  options: { observer?: ConsumerObserver; topics?: string[] } = {},
): PartitionConsumer {
  const consumer = new PartitionConsumer({
    kafka: createKafka({ brokers, clientId: 'test', logger: SILENT }),
    groupId: group,
    topics: options.topics ?? [topic],
    createProcessor,
    logger: SILENT,
    sessionTimeoutMs: 6_000,
    maxBytesPerPartition: 1_048_576,
    maxBytesPerFetch: 2_097_152,
    maxRetryDelayMs: 500,
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  });
  running.push(consumer);
  consumer.start();
  return consumer;
}

describe('the partition consumer', () => {
  it('reads every record in order and goes on where the group committed', async () => {
    await makeTopic(2);
    await Promise.all([write(0, 0, 500), write(1, 0, 300)]);
    const first = new Recorder();
    const consumer = start(first.create);
    await eventually('all is read', () => first.count(0) === 500 && first.count(1) === 300);
    expect(first.values.get(0)).toEqual(numbers(500));
    await consumer.stop(5_000);
    expect(first.closes.sort()).toEqual(['0:stopped', '1:stopped']);

    await write(0, 500, 10);
    const second = new Recorder();
    start(second.create);
    await eventually('the rest is read', () => second.count(0) === 10);
    expect(second.values.get(0)).toEqual(numbers(10, 500));
    expect(second.count(1)).toBe(0);
  });

  it('pauses a partition whose store fails, alone, and goes on by itself without losing a record', async () => {
    await makeTopic(3);
    const recorder = new Recorder();
    recorder.failing.add(1);
    const consumer = start(recorder.create);
    for (let round = 0; round < 5; round++) {
      await Promise.all([write(0, round * 10, 10), write(1, round * 10, 10), write(2, round * 10, 10)]);
    }
    await eventually('the others are read', () => recorder.count(0) === 50 && recorder.count(2) === 50);
    expect(recorder.count(1)).toBe(0);
    await eventually('it says why', () => consumer.problems().some((problem) => problem.includes('hdfs-unavailable')));

    recorder.failing.clear();
    await eventually('the paused one is read', () => recorder.count(1) === 50);
    expect(recorder.values.get(1)).toEqual(numbers(50));
    expect(recorder.closes).toContain('1:failed');
    await eventually('all is well again', () => consumer.problems().length === 0);
  });

  it('opens a partition anew when its processor reports a failure from outside', async () => {
    await makeTopic(1);
    await write(0, 0, 5);
    const recorder = new Recorder();
    start(recorder.create);
    await eventually('read once', () => recorder.count(0) === 5);
    recorder.startAt = 2;
    recorder.lastContext?.fail(new GridError('fenced', 'says the test'));
    await eventually('read again from where it says', () => recorder.count(0) === 8);
    expect(recorder.values.get(0)?.slice(5)).toEqual(['2', '3', '4']);
  });

  it('starts at the offset that the processor names, not at the one that the group committed', async () => {
    await makeTopic(1);
    await write(0, 0, 100);
    await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '90' }] });
    const recorder = new Recorder();
    recorder.startAt = 40;
    start(recorder.create);
    await eventually('read', () => recorder.count(0) === 60);
    expect(recorder.values.get(0)?.[0]).toBe('40');
  });

  it('reports records that retention removed before they were read', async () => {
    await makeTopic(1);
    await write(0, 0, 100);
    // kafkajs deletes records only of topics that it has asked about before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '70' }] });
    const lost: number[] = [];
    const recorder = new Recorder();
    recorder.startAt = 20;
    start(recorder.create, {
      observer: {
        batchProcessed: () => undefined,
        partitionFailed: () => undefined,
        recordsExpired: (_topic, _partition, count) => lost.push(count),
      },
    });
    await eventually('what is left is read', () => recorder.count(0) === 30);
    expect(lost).toEqual([50]);
    expect(recorder.expired).toBe(50);
  });

  it('reads again from where the processor asks for, and counts only what was never read as lost', async () => {
    await makeTopic(1);
    await write(0, 0, 100);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '30' }] });
    const recorder = new Recorder();
    recorder.startAt = { offset: 40, rereadFrom: 35 };
    start(recorder.create);
    await eventually('read', () => recorder.count(0) === 65);
    expect(recorder.values.get(0)?.[0]).toBe('35');
    recorder.startAt = { offset: 40, rereadFrom: 10 };
    recorder.lastContext?.fail(new GridError('fenced', 'says the test'));
    await eventually('what is left is read again', () => recorder.count(0) === 135);
    expect(recorder.expired).toBe(0);
    recorder.startAt = { offset: 25, rereadFrom: 10 };
    recorder.lastContext?.fail(new GridError('fenced', 'says the test'));
    await eventually('what is left is read once more', () => recorder.count(0) === 205);
    expect(recorder.expired).toBe(5);
  });

  it('reports records that were removed while it was reading, before it came to them', async () => {
    await makeTopic(1);
    const lost: number[] = [];
    const recorder = new Recorder();
    await write(0, 0, 10);
    const consumer = start(recorder.create, {
      observer: {
        batchProcessed: () => undefined,
        partitionFailed: () => undefined,
        recordsExpired: (_topic, _partition, count) => lost.push(count),
      },
    });
    await eventually('all is read', () => recorder.count(0) === 10);
    // Whether it is opened anew before they are removed or after, and then has kafkajs go on elsewhere, the loss is told.
    recorder.failing.add(0);
    await write(0, 10, 10);
    await eventually('it waits', () => consumer.problems().length > 0);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '15' }] });
    recorder.failing.clear();
    await eventually('the rest is read', () => recorder.count(0) === 15);
    expect(recorder.values.get(0)?.slice(10)).toEqual(numbers(5, 15));
    expect(lost.at(-1)).toBe(5);
    expect(recorder.expired).toBe(5);
  });

  it('refuses to go on when the store is ahead of the topic, and reads nothing', async () => {
    await makeTopic(1);
    await write(0, 0, 10);
    const recorder = new Recorder();
    recorder.startAt = 11;
    const consumer = start(recorder.create);
    await eventually('it says why', () => consumer.problems().some((problem) => problem.includes('offset-beyond-end')));
    expect(recorder.count(0)).toBe(0);
  });

  it('hands partitions over to a second member and takes them back, each record read at least once and none skipped', async () => {
    await makeTopic(4);
    const first = new Recorder();
    const second = new Recorder();
    start(first.create);
    for (let partition = 0; partition < 4; partition++) await write(partition, 0, 50);
    await eventually('the first has all', () => [0, 1, 2, 3].every((partition) => first.count(partition) === 50));
    const other = start(second.create);
    await eventually('the second owns some', () => other.status().length === 2);
    for (let partition = 0; partition < 4; partition++) await write(partition, 50, 50);
    const together = (partition: number): number =>
      new Set([...(first.values.get(partition) ?? []), ...(second.values.get(partition) ?? [])]).size;
    await eventually('both have all', () => [0, 1, 2, 3].every((partition) => together(partition) === 100));
    expect([...second.values.keys()]).toHaveLength(2);
    await other.stop(5_000);
    for (let partition = 0; partition < 4; partition++) await write(partition, 100, 5);
    await eventually('the first has the rest', () => [0, 1, 2, 3].every((partition) => together(partition) === 105));
  });

  it('waits for a topic that is not there yet', async () => {
    await makeTopic(1);
    const later = `${topic}-later`;
    topics.push(later);
    const recorder = new Recorder();
    const consumer = start(recorder.create, { topics: [later] });
    expect(consumer.problems()).not.toEqual([]);
    await feed.createTopic(later, 1);
    await feed.send(later, [{ value: '0' }]);
    await eventually('read', () => recorder.count(0) === 1);
  });
});
