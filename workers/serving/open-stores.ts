import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { createKafka } from '../../connectors/kafka/client.ts';
import { createProducerMetrics } from '../../connectors/kafka/produce/producer-metrics.ts';
import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { LogReader } from '../../connectors/kafka/read/log-reader.ts';
import { StoredDocuments } from '../../connectors/mongodb/stored-documents.ts';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { RedisConnection } from '../../connectors/redis/connection.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { CommittedData } from '../../streaming/sinks/hdfs/committed-data.ts';

import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { Stores } from '../../serving/stores.ts';

const SELECTION_TIMEOUT_MS = 2_000;
const REDIS_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** What of the time that there is to stop goes to records that wait for Kafka. */
const FLUSH_SHARE = 0.25;

export interface OpenStores extends Stores {
  /** Lets go of all of them. Never throws. */
  close(): Promise<void>;
}

/** The stores of the serving API as the configuration names them. Connects to nothing that it would have to wait for. */
export function openStores(config: Config, logger: Logger, metrics: Registry): OpenStores {
  const timeoutMs = config.SERVING_QUERY_TIMEOUT_MS;
  const clientId = 'powergrid-serving';
  const database = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: config.SERVING_SCHEMA,
    maxConnections: config.SERVING_MAX_QUERIES,
    timeoutMs,
    applicationName: clientId,
  });
  const redis = new RedisConnection({
    url: config.REDIS_URL,
    logger: logger.child({ component: 'redis' }),
    clientName: clientId,
    commandTimeoutMs: REDIS_TIMEOUT_MS,
  });
  const documents = new StoredDocuments({
    url: config.MONGODB_URL,
    selectionTimeoutMs: SELECTION_TIMEOUT_MS,
    timeoutMs,
    applicationName: clientId,
  });
  const temporal = new TemporalClient({
    address: config.TEMPORAL_ADDRESS[0] ?? '',
    namespace: config.TEMPORAL_NAMESPACE,
    identity: clientId,
    callTimeoutMs: timeoutMs,
  });
  // It is asked again and again by who reads; what goes wrong is told there.
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId,
    logger: logger.child({}, { level: 'silent' }),
    connectionTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs: timeoutMs,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1 },
  });
  const log = new LogReader({ kafka, timeoutMs });
  const producer = new KafkaProducer({
    brokers: config.KAFKA_BROKERS,
    clientId,
    logger: logger.child({ component: 'producer' }),
    queueBytes: config.KAFKA_PRODUCER_QUEUE_BYTES,
    deliveryTimeoutMs: timeoutMs,
    metrics: createProducerMetrics(metrics),
  });
  const hdfs = new HdfsClient({
    nameNodeUrls: config.WEBHDFS_URL,
    user: config.HDFS_USER,
    callTimeoutMs: Math.min(timeoutMs, config.HDFS_CALL_TIMEOUT_MS),
    retries: 1,
  });
  const committed = new CommittedData(hdfs, config.HDFS_TOPICS_DIRECTORY);
  return {
    ...{ database, redis, documents, temporal, kafka, log, producer },
    masterData: {
      committed: (topic: string) => committed.totals(topic),
      fileOf: (topic: string, partition: number, offset: number) => committed.fileOf(topic, partition, offset),
      async ping() {
        await hdfs.status('/');
      },
    },
    async close() {
      await producer.close(config.SHUTDOWN_TIMEOUT_MS * FLUSH_SHARE);
      await Promise.all([
        log.close(),
        redis.close(),
        documents.close(),
        temporal.close(),
        hdfs.close(),
        database.close(),
      ]);
    },
  };
}
