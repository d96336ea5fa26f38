import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '../connectors/kafka/client.ts';
import { createProducerMetrics } from '../connectors/kafka/produce/producer-metrics.ts';
import { KafkaProducer } from '../connectors/kafka/produce/producer.ts';
import { ensureTopicsEventually } from '../connectors/kafka/topics/topics.ts';
import { readEnvironment } from '../runtime/config.ts';
import { runProcess } from '../runtime/process.ts';
import { startGateway } from '../streaming/sources/gateway/gateway.ts';
import { projectTopics } from '../streaming/project-topics.ts';
import { readPullSources } from '../streaming/sources/pull/pull-file.ts';
import { startPullSources } from '../streaming/sources/pull/pull-sources.ts';
import { startRawTextSource } from '../streaming/sources/raw-text/raw-text-source.ts';

/** Of the time that there is to stop, how much goes to what is under way before Kafka is given up. */
const FINISH_SHARE = 0.7;
const FLUSH_SHARE = 0.25;

runProcess('ingest', async ({ config, logger, metrics, stopping }) => {
  const sources =
    config.PULL_SOURCES_FILE === '' ? [] : await readPullSources(config.PULL_SOURCES_FILE, readEnvironment());
  const clientId = 'powergrid-ingest';
  const producer = new KafkaProducer({
    brokers: config.KAFKA_BROKERS,
    clientId,
    logger: logger.child({ component: 'producer' }),
    queueBytes: config.KAFKA_PRODUCER_QUEUE_BYTES,
    deliveryTimeoutMs: config.KAFKA_DELIVERY_TIMEOUT_MS,
    metrics: createProducerMetrics(metrics),
  });
  const gateway = await startGateway({
    host: config.INGEST_HOST,
    port: config.INGEST_PORT,
    producer,
    topic: config.TOPIC_INGESTION,
    logger: logger.child({ component: 'gateway' }),
    metrics,
    envelopeMaxBytes: config.ENVELOPE_MAX_BYTES,
    maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000,
    maxBodyBytes: config.INGEST_MAX_BODY_BYTES,
    maxRecords: config.INGEST_MAX_RECORDS,
    memoryBytes: config.INGEST_MEMORY_BYTES,
    replyTimeoutMs: config.INGEST_REPLY_TIMEOUT_MS,
    dedupReadings: config.INGEST_DEDUP_READINGS,
    dedupAgeMs: config.INGEST_DEDUP_SECONDS * 1_000,
  });
  const rawText = await startRawTextSource({
    host: config.INGEST_HOST,
    port: config.RAW_TEXT_PORT,
    producer,
    topic: config.TOPIC_UNORGANIZED,
    logger: logger.child({ component: 'raw-text' }),
    metrics,
    maxLineBytes: config.RAW_TEXT_MAX_LINE_BYTES,
    maxEventsBytes: config.INGEST_MAX_BODY_BYTES,
  });
  const pulling = startPullSources({
    sources,
    producer,
    topic: config.TOPIC_INGESTION,
    logger: logger.child({ component: 'pull' }),
    metrics,
    limits: { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000 },
  });

  // Listens before Kafka is there: until then senders get 503, and /readyz says why.
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId,
    // One line says that it waits; kafkajs would write several for each try.
    logger: logger.child({}, { level: 'error' }),
    retry: { retries: 1 },
  });
  const topics = ensureTopicsEventually({ kafka, topics: projectTopics(config), logger }, stopping);
  const ready = topics.then(() => {
    producer.start();
  });

  return {
    // Rejects only when Kafka refuses to make the topics: then nothing can ever be stored.
    done: ready.then(() => new Promise<never>(() => undefined)),
    async stop() {
      const budgetMs = config.SHUTDOWN_TIMEOUT_MS;
      const finished = Promise.all([pulling.stop(), gateway.close(), rawText.close()]);
      await Promise.race([finished, sleep(budgetMs * FINISH_SHARE)]);
      await producer.close(budgetMs * FLUSH_SHARE);
      // Who waited for Kafka until now is told that it did not answer.
      await Promise.race([finished, sleep(budgetMs * (1 - FINISH_SHARE - FLUSH_SHARE))]);
    },
  };
});
