import { loadConfig } from '../../runtime/config.ts';
import { randomUUID } from 'node:crypto';
import { ConfigResourceTypes, Kafka, logLevel, type IHeaders } from 'kafkajs';
import { pino } from 'pino';

export const SILENT = pino({ level: 'silent' });

/** A record as it lies in Kafka. */
export interface StoredRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | undefined;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Topics of a test's own, and a look at what really lies in them. */
export class TopicBed {
  readonly brokers: readonly string[];
  readonly #kafka: Kafka;
  readonly #topics: string[] = [];

  constructor(brokers: readonly string[] = loadConfig().KAFKA_BROKERS) {
    this.brokers = brokers;
    this.#kafka = new Kafka({
      clientId: 'test-ingest',
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 30, maxRetryTime: 1_000 },
    });
  }

  /** A name that nobody else uses; removed by {@link cleanUp}. */
  name(purpose: string): string {
    const name = `test-ingest-${purpose}-${randomUUID().slice(0, 8)}`;
    this.#topics.push(name);
    return name;
  }

  async create(purpose: string, partitions = 6, settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name(purpose);
    await this.make(topic, partitions, settings);
    return topic;
  }

  async make(topic: string, partitions: number, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await this.#withAdmin((admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: partitions, configEntries }], waitForLeaders: true }),
    );
  }

  /** Every record of a topic up to its present end, by partition and offset. */
  async read(topic: string): Promise<StoredRecord[]> {
    const ends = await this.#withAdmin((admin) => admin.fetchTopicOffsets(topic));
    const missing = new Map(
      ends
        .filter(({ high, low }) => Number(high) > Number(low))
        .map(({ partition, high }) => [partition, Number(high)]),
    );
    const records: StoredRecord[] = [];
    if (missing.size === 0) return records;
    const groupId = `test-ingest-${randomUUID()}`;
    const consumer = this.#kafka.consumer({ groupId, sessionTimeout: 6_000 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            for (const { offset, key, value, headers = {} } of batch.messages) {
              records.push({
                partition: batch.partition,
                offset: Number(offset),
                key: key?.toString(),
                value: value ?? Buffer.alloc(0),
                headers: texts(headers),
              });
            }
            const end = missing.get(batch.partition);
            if (end !== undefined && Number(batch.lastOffset()) >= end - 1) missing.delete(batch.partition);
            if (missing.size === 0) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    await this.#withAdmin((admin) => admin.deleteGroups([groupId])).catch(() => undefined);
    return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }

  async values(topic: string): Promise<string[]> {
    return (await this.read(topic)).map(({ value }) => value.toString());
  }

  async describe(topic: string): Promise<{ partitions: number; settings: Map<string, string> }> {
    return this.#withAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      });
      const entries = resources[0]?.configEntries ?? [];
      return {
        partitions: topics[0]?.partitions.length ?? 0,
        settings: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
      };
    });
  }

  async cleanUp(): Promise<void> {
    await this.#withAdmin(async (admin) => {
      const existing = new Set(await admin.listTopics());
      const topics = this.#topics.filter((topic) => existing.has(topic));
      if (topics.length > 0) await admin.deleteTopics({ topics });
    });
  }

  async #withAdmin<T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

function texts(headers: IHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
