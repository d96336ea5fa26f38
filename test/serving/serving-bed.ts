import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { pino, type Logger } from 'pino';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { loadConfig, type Config } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startServing, type Serving } from '../../serving/serving.ts';
import { openStores, type OpenStores } from '../../workers/serving/open-stores.ts';
import { KafkaTopics } from '../support/kafka-topics.ts';

/** What a reply was. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed where it is JSON. */
  readonly json: never;
}

/** Names of a test file's own at the shared servers. */
export function ownNames(what: string, redisDatabase: number) {
  const name = `serving-${what}-${randomUUID().slice(0, 8)}`;
  const redisAt = new URL(loadConfig().REDIS_URL);
  return {
    name,
    environment: {
      TOPIC_INGESTION: `${name}.readings`,
      TOPIC_DLQ: `${name}.dlq`,
      TOPIC_AGGREGATES: `${name}.windows`,
      TOPIC_ALARMS: `${name}.alarms`,
      TOPIC_UNORGANIZED: `${name}.texts`,
      SERVING_SCHEMA: name.replaceAll('-', '_'),
      MONGODB_DATABASE: name,
      // No name that begins with that of the other: the server of the native stack takes it away with that.
      MONGODB_ANALYSIS_DATABASE: `analysis-${name}`,
      REDIS_URL: `redis://${redisAt.host}/${redisDatabase}`,
      HDFS_TOPICS_DIRECTORY: `/test/${name}`,
      CONSUMER_GROUP_PREFIX: name,
      TEMPORAL_TASK_QUEUE: name,
      HTTP_PORT: '0',
    },
  };
}

/** The serving API in this process, on the shared servers, with names of its own. */
export class ServingBed {
  readonly config: Config;
  readonly stores: OpenStores;
  readonly topics: KafkaTopics;
  readonly #serving: Serving;

  private constructor(config: Config, stores: OpenStores, topics: KafkaTopics, serving: Serving) {
    this.config = config;
    this.stores = stores;
    this.topics = topics;
    this.#serving = serving;
  }

  static async start(
    environment: Readonly<Record<string, string>>,
    logger: Logger = pino({ level: 'silent' }),
  ): Promise<ServingBed> {
    const config = loadConfig(environment);
    const metrics = createMetrics('test');
    const stores = openStores(config, logger, metrics);
    try {
      const serving = await startServing({ config, logger, metrics, stores });
      return new ServingBed(config, stores, new KafkaTopics(loadConfig().KAFKA_BROKERS), serving);
    } catch (error) {
      await stores.close();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#serving.port}`;
  }

  get port(): number {
    return this.#serving.port;
  }

  async makeTopics(partitions: number): Promise<void> {
    const { TOPIC_INGESTION, TOPIC_DLQ, TOPIC_AGGREGATES, TOPIC_ALARMS, TOPIC_UNORGANIZED } = this.config;
    for (const topic of [TOPIC_INGESTION, TOPIC_DLQ, TOPIC_AGGREGATES, TOPIC_ALARMS, TOPIC_UNORGANIZED])
      await this.topics.create(topic, partitions);
  }

  ask(path: string, init: RequestInit = {}): Promise<Answer> {
    return askAt(this.url, path, init);
  }

  async stop(): Promise<void> {
    await this.#serving.close();
    await this.stores.close();
  }
}

export async function askAt(url: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const reply = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(60_000), ...init });
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true;
  return {
    status: reply.status,
    headers: reply.headers,
    text,
    json: (isJson && text !== '' ? JSON.parse(text) : undefined) as never,
  };
}

export function post(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
}

/** Takes away all that a test file has left at the shared servers. */
export async function cleanUp(environment: Readonly<Record<string, string>>): Promise<void> {
  const config = loadConfig(environment);
  const shared = loadConfig();
  const kafka = new KafkaTopics(shared.KAFKA_BROKERS).kafka.admin();
  await kafka.connect();
  const existing = new Set(await kafka.listTopics());
  const own = [
    config.TOPIC_INGESTION,
    config.TOPIC_DLQ,
    config.TOPIC_AGGREGATES,
    config.TOPIC_ALARMS,
    config.TOPIC_UNORGANIZED,
  ];
  await kafka.deleteTopics({ topics: own.filter((topic) => existing.has(topic)) });
  await kafka.disconnect();
  const redis = new Redis(config.REDIS_URL);
  await redis.flushdb();
  redis.disconnect();
  const mongodb = new MongoClient(shared.MONGODB_URL);
  await mongodb.db(config.MONGODB_DATABASE).dropDatabase();
  await mongodb.db(config.MONGODB_ANALYSIS_DATABASE).dropDatabase();
  await mongodb.close();
  const hdfs = new HdfsClient({ nameNodeUrls: shared.WEBHDFS_URL, user: shared.HDFS_USER });
  await hdfs.delete(config.HDFS_TOPICS_DIRECTORY, { recursive: true });
  await hdfs.close();
  const stores = openStores(
    loadConfig({ ...environment, SERVING_DATABASE_URL: shared.SERVING_DATABASE_URL }),
    pino({ level: 'silent' }),
    createMetrics('test'),
  );
  await stores.database.query(`DROP SCHEMA IF EXISTS ${stores.database.schema} CASCADE`);
  await stores.close();
}
