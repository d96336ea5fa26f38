import { createProducerMetrics } from '../../../connectors/kafka/produce/producer-metrics.ts';
import { KafkaProducer } from '../../../connectors/kafka/produce/producer.ts';
import { ServingDatabase } from '../../../connectors/postgres/serving/serving-database.ts';
import { SpeedView, type SpeedPosition } from '../../../connectors/postgres/serving/speed-view.ts';
import type { GridError } from '../../../grid/errors.ts';
import type { OpenSink } from '../sink.ts';
import { WindowsPartition } from './windows-partition.ts';
import { createWindowsMetrics } from './windows-metrics.ts';

/** Connections to the database, all partitions together, which bounds what is being written at once; and the longest wait for one of its answers. */
const MOST_CONNECTIONS = 3;
const DATABASE_TIMEOUT_MS = 30_000;
/** Revisions that may wait for Kafka's acknowledgement, bytes, all partitions together. */
const REVISION_QUEUE_BYTES = 16 << 20;

/** The sink of windows as the configuration describes it. */
export const openSink: OpenSink = (environment, limits) => {
  const { config, routes, metrics } = environment;
  const logger = environment.logger.child({ sink: 'windows' });
  const database = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: config.SERVING_SCHEMA,
    maxConnections: MOST_CONNECTIONS,
    timeoutMs: DATABASE_TIMEOUT_MS,
    applicationName: 'powergrid-windows',
  });
  const producer = new KafkaProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'powergrid-windows',
    logger,
    queueBytes: REVISION_QUEUE_BYTES,
    deliveryTimeoutMs: config.KAFKA_DELIVERY_TIMEOUT_MS,
    metrics: createProducerMetrics(metrics),
  });
  const view = new SpeedView(database);
  const positions = new Map<
    string,
    { readonly topic: string; readonly partition: number; readonly watermarkMs: number }
  >();
  const troubles = new Map<string, GridError>();
  const windowsMetrics = createWindowsMetrics(metrics, () => positions.values());
  let migration: Promise<void> | undefined;
  return {
    name: 'windows',
    topics: [config.TOPIC_INGESTION],
    createProcessor: (context) =>
      new WindowsPartition(context, {
        routes,
        limits,
        view,
        whenReady() {
          migration ??= database.migrate().catch((error: unknown) => {
            migration = undefined;
            throw error;
          });
          return migration;
        },
        producer,
        aggregatesTopic: config.TOPIC_AGGREGATES,
        resolutions: config.WINDOW_RESOLUTIONS,
        duplicateOffsets: config.WINDOW_DUPLICATE_OFFSETS,
        segmentMs: config.SEGMENT_SECONDS * 1_000,
        latenessMs: config.WINDOW_LATENESS_SECONDS * 1_000,
        idleMs: config.WINDOW_IDLE_SECONDS * 1_000,
        logger,
        metrics: windowsMetrics,
        onPosition(topic, partition, position: SpeedPosition | undefined) {
          const key = `${topic}/${partition}`;
          if (position?.watermarkMs === undefined) positions.delete(key);
          else positions.set(key, { topic, partition, watermarkMs: position.watermarkMs });
        },
        onTrouble(topic, partition, trouble) {
          const key = `${topic}/${partition}`;
          if (trouble === undefined) troubles.delete(key);
          else troubles.set(key, trouble);
        },
      }),
    problems: () =>
      [...troubles].map(
        ([partition, { code }]) => `revisions of ${partition} wait for ${config.TOPIC_AGGREGATES}: ${code}`,
      ),
    async close() {
      await producer.close(config.SHUTDOWN_TIMEOUT_MS / 10);
      await database.close();
    },
  };
};
