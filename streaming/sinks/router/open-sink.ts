import { createKafka } from '../../../connectors/kafka/client.ts';
import { TopicDirectory } from '../../../connectors/kafka/topics/topic-directory.ts';
import { TransactionalWriter } from '../../../connectors/kafka/produce/transactional-writer.ts';
import type { OpenSink } from '../sink.ts';
import { createRouterSink } from './router-sink.ts';
import { RouterTopics } from './router-topics.ts';

/** Longest wait for one question to Kafka, milliseconds. */
const QUESTION_TIMEOUT_MS = 10_000;
/** Longest a transaction may take before the batch is begun anew, milliseconds. */
const WRITE_TIMEOUT_MS = 30_000;

/** The router as the configuration describes it. */
export const openSink: OpenSink = (environment, limits) => {
  const { config, routes, logger, metrics } = environment;
  const sinkLogger = logger.child({ sink: 'router' });
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'powergrid-router', logger: sinkLogger });
  const directory = new TopicDirectory(kafka, QUESTION_TIMEOUT_MS);
  const topics = new RouterTopics({
    kafka,
    sourceTopic: config.TOPIC_INGESTION,
    deadLetterTopic: config.TOPIC_DLQ,
    partitions: config.TOPIC_PARTITIONS,
    replicationFactor: config.TOPIC_REPLICATION_FACTOR,
    retentionMs: config.TOPIC_RETENTION_MS,
    logger: sinkLogger,
  });
  return {
    name: 'router',
    topics: [config.TOPIC_INGESTION],
    createProcessor: createRouterSink({
      createWriter: (transactionalId) =>
        new TransactionalWriter({
          kafka,
          topics: directory,
          limits: topics.limits,
          makeTopic: (topic) => topics.make(topic),
          transactionalId,
          timeoutMs: WRITE_TIMEOUT_MS,
        }),
      deadLetterTopic: config.TOPIC_DLQ,
      deadLetterMaxBytes: () => topics.deadLetterMaxBytes(),
      routes,
      limits,
      logger: sinkLogger,
      metrics,
    }),
    close: () => directory.close(),
  };
};
