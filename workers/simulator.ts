import { resolve } from 'node:path';
import { createKafka } from '../connectors/kafka/client.ts';
import { createProducerMetrics } from '../connectors/kafka/produce/producer-metrics.ts';
import { KafkaProducer } from '../connectors/kafka/produce/producer.ts';
import { ensureTopicsEventually } from '../connectors/kafka/topics/topics.ts';
import { GridError } from '../grid/errors.ts';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import { startOperationsServer } from '../runtime/http/operations-server.ts';
import { runProcess } from '../runtime/process.ts';
import { openFileSource } from '../streaming/sources/file/open-file-source.ts';
import { readMapping, type Mapping } from '../streaming/sources/file/mapping.ts';
import { PacedClock } from '../streaming/sources/pacing/paced-clock.ts';
import { startSources, type SourceGroupOptions } from '../streaming/sources/pacing/source-group.ts';
import { createSourceMetrics } from '../streaming/sources/pacing/source-metrics.ts';
import { projectTopics } from '../streaming/project-topics.ts';
import { createSimulatorSource } from '../streaming/sources/simulator/simulator-source.ts';

type Source = SourceGroupOptions['sources'][number];

/** What closing the connection may take after the sources have stopped, out of the time that there is. */
const CLOSE_SHARE = 0.1;

runProcess('simulator', async ({ config, logger, metrics, stopping }) => {
  if (config.SIMULATOR_SENSORS === 0 && config.FILE_SOURCE_MAPPING === '') {
    throw new GridError(
      'invalid-configuration',
      'Starting the simulator: there is nothing to send. Set SIMULATOR_SENSORS to more than 0, or name a mapping in FILE_SOURCE_MAPPING.',
    );
  }
  const mapping = config.FILE_SOURCE_MAPPING === '' ? undefined : await readMapping(config.FILE_SOURCE_MAPPING);
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'powergrid-simulator', logger });
  await ensureTopicsEventually({ kafka, topics: projectTopics(config), logger }, stopping);
  if (stopping.aborted) throw new GridError('shutting-down', 'Starting the simulator: it was told to stop.');

  // Opened only now, so that no source is behind its schedule by the time that Kafka was waited for.
  const sources = [
    ...(config.SIMULATOR_SENSORS === 0 ? [] : [openSimulator(config)]),
    ...(mapping === undefined ? [] : [await openFiles(mapping, config, logger)]),
  ];
  const producer = new KafkaProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'powergrid-simulator',
    logger,
    queueBytes: config.KAFKA_PRODUCER_QUEUE_BYTES,
    deliveryTimeoutMs: config.KAFKA_DELIVERY_TIMEOUT_MS,
    metrics: createProducerMetrics(metrics),
  });
  producer.start();
  const group = startSources({ sources, producer, logger, observer: createSourceMetrics(metrics) });
  const operations = await startOperationsServer({
    host: config.OPERATIONS_HOST,
    port: config.SIMULATOR_METRICS_PORT,
    orAnyFreePort: true,
    metrics,
    logger,
    readiness: () => {
      const trouble = producer.trouble;
      if (trouble === undefined) return group.readiness();
      return { ready: false, problems: [trouble.message, ...group.readiness().problems] };
    },
  });
  return {
    done: group.done,
    async stop() {
      await group.stop(config.SHUTDOWN_TIMEOUT_MS * (1 - CLOSE_SHARE));
      await producer.close(config.SHUTDOWN_TIMEOUT_MS * CLOSE_SHARE);
      await operations.close();
    },
  };
});

/** The simulated fleet: in real time for ever, or a fixed number of records as fast as possible. */
function openSimulator(config: Config): Source {
  const count = config.SIMULATOR_COUNT;
  const atFullSpeed = count > 0;
  // A backlog ends about now: readings ahead of the clock would be rejected.
  const backlogMs = atFullSpeed ? (count / (config.SIMULATOR_SENSORS * config.SIMULATOR_RATE_HZ)) * 1_000 : 0;
  const startMs = config.SIMULATOR_START ?? Date.now() - Math.ceil(backlogMs);
  const source = createSimulatorSource({
    topic: config.TOPIC_INGESTION,
    sensors: config.SIMULATOR_SENSORS,
    firstSensorId: config.SIMULATOR_FIRST_SENSOR_ID,
    seed: config.SIMULATOR_SEED,
    rateHz: config.SIMULATOR_RATE_HZ,
    startMs,
    predictionShare: config.SIMULATOR_PREDICTION_SHARE,
    predictionHorizonSeconds: config.SIMULATOR_PREDICTION_HORIZON_SECONDS,
    duplicateShare: config.SIMULATOR_DUPLICATE_SHARE,
    outOfOrderShare: config.SIMULATOR_OUT_OF_ORDER_SHARE,
    lateShare: config.SIMULATOR_LATE_SHARE,
    malformedShare: config.SIMULATOR_MALFORMED_SHARE,
    maxEnvelopeBytes: config.ENVELOPE_MAX_BYTES,
    ...(atFullSpeed ? { count } : {}),
  });
  return { source, clock: new PacedClock({ startMs, speed: atFullSpeed ? 0 : 1 }) };
}

/** The files of the mapping. */
async function openFiles(mapping: Mapping, config: Config, logger: Logger): Promise<Source> {
  const speed = config.FILE_SOURCE_SPEED;
  const { source, startMs, fromMs } = await openFileSource({
    mapping,
    directory:
      config.FILE_SOURCE_DIRECTORY === '' ? resolve(config.FILE_SOURCE_MAPPING, '..') : config.FILE_SOURCE_DIRECTORY,
    readingsTopic: config.TOPIC_INGESTION,
    unorganizedTopic: config.TOPIC_UNORGANIZED,
    speed,
    timestamps: config.FILE_SOURCE_TIMESTAMPS,
    loop: config.FILE_SOURCE_LOOP,
    maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000,
    logger,
    ...(config.FILE_SOURCE_FROM === undefined ? {} : { fromMs: config.FILE_SOURCE_FROM }),
    ...(config.FILE_SOURCE_TO === undefined ? {} : { toMs: config.FILE_SOURCE_TO }),
    ...(config.FILE_SOURCE_STATE_FILE === '' ? {} : { stateFile: config.FILE_SOURCE_STATE_FILE }),
  });
  return { source, clock: new PacedClock({ startMs, fromMs, speed }) };
}
