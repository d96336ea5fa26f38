import type { ConsumerObserver, PartitionStatus } from '../connectors/kafka/consume/owned-partition.ts';
import { Counter, Gauge, Histogram, type Registry } from '../runtime/metrics.ts';

/** Metrics of reading, by sink and topic; alike for all sinks. */
export interface ConsumerMetrics {
  /** What to give to the consumer of one sink. */
  observerOf(sink: string): ConsumerObserver;
}

/** How one sink's consumer stands. */
export interface ConsumerStatus {
  readonly sink: string;
  readonly isMember: boolean;
  readonly partitions: readonly PartitionStatus[];
}

/**
 * @param statuses asks every running consumer how it stands, at each scrape.
 */
export function createConsumerMetrics(registry: Registry, statuses: () => Iterable<ConsumerStatus>): ConsumerMetrics {
  const registers = [registry];
  const labelNames = ['sink', 'topic'] as const;
  const records = new Counter({
    name: 'powergrid_consumer_records_total',
    help: 'Records that a sink has read from Kafka and is done with.',
    labelNames,
    registers,
  });
  const seconds = new Histogram({
    name: 'powergrid_consumer_batch_seconds',
    help: 'Time that a sink took for a batch.',
    labelNames,
    buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1, 5, 30],
    registers,
  });
  const failures = new Counter({
    name: 'powergrid_consumer_failures_total',
    help: 'Times that a partition was paused after a failure, by error code.',
    labelNames: ['sink', 'topic', 'code'] as const,
    registers,
  });
  const expired = new Counter({
    name: 'powergrid_consumer_expired_records_total',
    help: 'Offsets that retention removed before a sink had read them: lost to it. Anything above 0 is an incident.',
    labelNames,
    registers,
  });
  new Gauge({
    name: 'powergrid_consumer_lag_records',
    help: 'Records that a sink has still to read, by partition; of partitions that this process owns.',
    labelNames: ['sink', 'topic', 'partition'] as const,
    registers,
    collect() {
      this.reset();
      for (const { sink, partitions } of statuses()) {
        for (const { topic, partition, lag } of partitions) {
          if (lag !== undefined) this.set({ sink, topic, partition: String(partition) }, lag);
        }
      }
    },
  });
  new Gauge({
    name: 'powergrid_consumer_partitions',
    help: 'Partitions that a sink owns in this process, by what they are doing.',
    labelNames: ['sink', 'state'] as const,
    registers,
    collect() {
      this.reset();
      for (const { sink, partitions } of statuses()) {
        for (const { state } of partitions) this.inc({ sink, state });
      }
    },
  });
  new Gauge({
    name: 'powergrid_consumer_in_group',
    help: 'Whether a sink is a member of its consumer group (1). While it is not (0), this process knows of no lag.',
    labelNames: ['sink'] as const,
    registers,
    collect() {
      for (const { sink, isMember } of statuses()) this.set({ sink }, isMember ? 1 : 0);
    },
  });
  return {
    observerOf: (sink) => ({
      batchProcessed(batch, durationMs) {
        records.inc({ sink, topic: batch.topic }, batch.records.length);
        seconds.observe({ sink, topic: batch.topic }, durationMs / 1_000);
      },
      partitionFailed(topic, _partition, error) {
        failures.inc({ sink, topic, code: error.code });
      },
      recordsExpired(topic, _partition, count) {
        expired.inc({ sink, topic }, count);
      },
    }),
  };
}
