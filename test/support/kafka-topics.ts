import { randomUUID } from 'node:crypto';
import { ConfigResourceTypes, Kafka, logLevel, Partitioners, type IHeaders, type Message } from 'kafkajs';
import { eventually } from './eventually.ts';

/** A record as a reader of committed transactions sees it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
  readonly headers: IHeaders;
}

const END_MARKER = 'test-end-marker';

/** Topics of a test's own, made at once, written, read to their end, and removed again. */
export class KafkaTopics {
  readonly kafka: Kafka;
  readonly #made: string[] = [];
  readonly #prefix = `test.${randomUUID().slice(0, 8)}`;

  constructor(brokers: readonly string[]) {
    this.kafka = new Kafka({
      clientId: 'test',
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 30, maxRetryTime: 2_000 },
    });
  }

  /** A name that is removed at the end, whoever makes the topic. */
  name(what: string): string {
    const topic = `${this.#prefix}.${what}`;
    this.#made.push(topic);
    return topic;
  }

  async create(topic: string, partitions: number, config: Readonly<Record<string, string>> = {}): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#withAdmin((admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions, configEntries }] }),
    );
  }

  async configure(topic: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.#withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
      }),
    );
  }

  async send(topic: string, messages: Message[]): Promise<void> {
    const producer = this.kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    await producer.send({ topic, messages, acks: -1 });
    await producer.disconnect();
  }

  async committedOffset(groupId: string, topic: string, partition: number): Promise<number> {
    return this.#withAdmin(async (admin) => {
      const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return Number(group?.partitions.find((entry) => entry.partition === partition)?.offset ?? -1);
    });
  }

  /** How many offsets of a topic are taken, control records among them; 0 when it is not there. */
  async count(topic: string): Promise<number> {
    return this.#withAdmin(async (admin) => {
      if (!(await admin.listTopics()).includes(topic)) return 0;
      return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
    });
  }

  /** Records that a group has still to read, all partitions together. */
  async lag(groupId: string, topic: string): Promise<number> {
    return this.#withAdmin(async (admin) => {
      const ends = await admin.fetchTopicOffsets(topic);
      const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return ends.reduce((sum, { partition, low, high }) => {
        const committed = Number(group?.partitions.find((entry) => entry.partition === partition)?.offset ?? -1);
        return sum + Number(high) - Math.max(committed, Number(low));
      }, 0);
    });
  }

  /**
   * Every record of a topic up to now. It writes a marker to each partition and reads up to those, so that neither control
   * records nor transactions left open can hide the end.
   *
   * @param isolation `committed` leaves aborted transactions out.
   */
  async read(topic: string, isolation: 'committed' | 'uncommitted' = 'committed'): Promise<ReadRecord[]> {
    const partitions = await this.#withAdmin(async (admin) => (await admin.fetchTopicOffsets(topic)).length);
    const marker = `${END_MARKER}-${randomUUID()}`;
    await this.send(
      topic,
      Array.from({ length: partitions }, (_, partition) => ({ partition, key: marker, value: null })),
    );
    const records: ReadRecord[] = [];
    const ended = new Set<number>();
    const consumer = this.kafka.consumer({
      groupId: marker,
      readUncommitted: isolation === 'uncommitted',
      maxWaitTimeInMs: 100,
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message: { key, value, offset, timestamp, headers } }) => {
        if (key?.toString() === marker) ended.add(partition);
        else if (key?.toString().startsWith(END_MARKER) !== true) {
          records.push({
            partition,
            offset: Number(offset),
            key,
            value,
            timestampMs: Number(timestamp),
            headers: headers ?? {},
          });
        }
        return Promise.resolve();
      },
    });
    await eventually(`the end of ${topic}`, () => ended.size === partitions);
    await consumer.disconnect();
    await this.#withAdmin((admin) => admin.deleteGroups([marker])).catch(() => undefined);
    return records;
  }

  async remove(): Promise<void> {
    await this.#withAdmin(async (admin) => {
      const existing = new Set(await admin.listTopics());
      const topics = this.#made.filter((topic) => existing.has(topic));
      if (topics.length > 0) await admin.deleteTopics({ topics });
    });
  }

  async #withAdmin<T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }
}
