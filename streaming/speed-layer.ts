import type { KafkaClient } from '../connectors/kafka/client.ts';
import { PartitionConsumer } from '../connectors/kafka/consume/partition-consumer.ts';
import type { Config } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Registry } from '../runtime/metrics.ts';
import type { Readiness } from '../runtime/http/operations-routes.ts';
import { createConsumerMetrics, type ConsumerStatus } from './consumer-metrics.ts';
import type { Sink } from './sinks/sink.ts';

export interface SpeedLayerOptions {
  readonly kafka: KafkaClient;
  readonly sinks: readonly Sink[];
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** The sinks of one process, each reading Kafka in a consumer group of its own, so that none waits for another. */
export interface SpeedLayer {
  readiness(): Readiness;
  /** Lets every sink commit what it holds, and leaves the groups. Never throws. */
  stop(): Promise<void>;
}

/** What closing connections may take after the consumers have stopped, out of the time that there is. */
const CLOSE_SHARE = 0.1;

/**
 * Starts every sink's consumer, each by itself: a store that is down holds up only its own sink, and Kafka being down
 * is waited for in the background.
 */
export function startSpeedLayer(options: SpeedLayerOptions): SpeedLayer {
  const { config, logger } = options;
  const consumers = new Map<string, PartitionConsumer>();
  const statuses = function* (): Generator<ConsumerStatus> {
    for (const [sink, consumer] of consumers) {
      yield { sink, isMember: consumer.isMember, partitions: consumer.status() };
    }
  };
  const consumerMetrics = createConsumerMetrics(options.metrics, statuses);
  for (const sink of options.sinks) {
    const consumer = new PartitionConsumer({
      kafka: options.kafka,
      groupId: `${config.CONSUMER_GROUP_PREFIX}.${sink.name}`,
      topics: sink.topics,
      createProcessor: sink.createProcessor,
      logger: logger.child({ sink: sink.name }),
      observer: consumerMetrics.observerOf(sink.name),
      sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
      maxBytesPerPartition: config.KAFKA_MAX_BYTES_PER_PARTITION,
      maxBytesPerFetch: config.KAFKA_MAX_BYTES_PER_FETCH,
      maxRetryDelayMs: config.SINK_RETRY_MAX_DELAY_MS,
    });
    consumers.set(sink.name, consumer);
    consumer.start();
  }

  return {
    readiness() {
      const problems = options.sinks.flatMap(({ name, problems: ofData }) =>
        [...(consumers.get(name)?.problems() ?? []), ...(ofData?.() ?? [])].map((problem) => `${name}: ${problem}`),
      );
      return { ready: problems.length === 0, problems };
    },
    async stop() {
      const timeoutMs = config.SHUTDOWN_TIMEOUT_MS * (1 - CLOSE_SHARE);
      await Promise.all([...consumers.values()].map((consumer) => consumer.stop(timeoutMs)));
      await Promise.all(options.sinks.map((sink) => sink.close()));
    },
  };
}
