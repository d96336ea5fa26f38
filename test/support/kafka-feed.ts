import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { makeEnvelope } from './readings.ts';

/** A test's own view of Kafka: makes topics, feeds them, and reads back what really lies in them. */
export class KafkaFeed {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | undefined;
  #feeding: Promise<void> | undefined;
  #stopped = false;
  /** Values that Kafka acknowledged. */
  readonly acknowledged = new Set<string>();

  constructor(brokers: string[]) {
    this.#kafka = new Kafka({
      clientId: 'test-feed',
      brokers,
      logLevel: logLevel.NOTHING,
      retry: { retries: 30, maxRetryTime: 2_000 },
    });
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
    await admin.disconnect();
  }

  async deleteTopics(topics: string[]): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics });
    await admin.disconnect();
  }

  async send(
    topic: string,
    messages: { key?: string; value: string | Buffer | null; partition?: number; timestamp?: string }[],
  ): Promise<void> {
    this.#producer ??= this.#connect();
    const producer = await this.#producer;
    await producer.send({ topic, acks: -1, messages });
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return producer;
  }

  /** Keeps writing readings of 50 sensors, so many every 50 ms, until {@link stopFeeding}; broker outages are waited out. */
  startFeeding(topic: string, readingsAtATime: number): void {
    this.#feeding = this.#feed(topic, readingsAtATime);
  }

  async #feed(topic: string, readingsAtATime: number): Promise<void> {
    while (!this.#stopped) {
      const messages = Array.from({ length: readingsAtATime }, () => {
        const sensorId = String(randomInt(50));
        // Some arrive a day late.
        const ageSeconds = randomInt(10) === 0 ? 86_400 : 0;
        return {
          key: sensorId,
          value: makeEnvelope({ sensorId, createdAt: (Date.now() / 1_000 - ageSeconds).toFixed(3) }),
        };
      });
      try {
        await this.send(topic, messages);
        for (const { value } of messages) this.acknowledged.add(value);
      } catch {
        // Not acknowledged: whether it lies in Kafka is told by reading it back.
        this.#producer = undefined;
      }
      await delay(50);
    }
  }

  async stopFeeding(): Promise<void> {
    this.#stopped = true;
    await this.#feeding;
  }

  /** Every record of the topic as `partition/offset` → value, read to the ends as they are now. */
  async readTopic(topic: string): Promise<Map<string, string>> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const groupId = `test-reader-${Date.now()}-${randomInt(1_000_000)}`;
    const consumer = this.#kafka.consumer({ groupId, maxBytesPerPartition: 4 << 20 });
    const records = new Map<string, string>();
    const missing = new Map(
      ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, Number(high)]),
    );
    if (missing.size > 0) {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        consumer
          .run({
            autoCommit: false,
            eachBatch: ({ batch }) => {
              for (const { offset, value } of batch.messages) {
                records.set(`${batch.partition}/${offset}`, value === null ? '' : value.toString('utf8'));
              }
              if (Number(batch.lastOffset()) + 1 >= (missing.get(batch.partition) ?? 0))
                missing.delete(batch.partition);
              if (missing.size === 0) resolve();
              return Promise.resolve();
            },
          })
          .catch(reject);
      });
      await consumer.disconnect();
    }
    return records;
  }

  /** Records that a group has still to read, all partitions together; everything when it never committed. */
  async lag(groupId: string, topic: string): Promise<number> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(topic);
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    await admin.disconnect();
    return ends.reduce((sum, { partition, low, high }) => {
      const committed = Number(group?.partitions.find((entry) => entry.partition === partition)?.offset ?? -1);
      return sum + Number(high) - Math.max(committed, Number(low));
    }, 0);
  }

  async close(): Promise<void> {
    await (await this.#producer)?.disconnect();
  }
}
