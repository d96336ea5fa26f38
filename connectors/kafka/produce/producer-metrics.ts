import { Counter, Gauge, Histogram, type Registry } from '../../../runtime/metrics.ts';

/** What a producer tells of itself. */
export interface ProducerMetrics {
  acknowledged(topic: string, records: number, bytes: number): void;
  failed(topic: string, records: number, code: string): void;
  repeated(topic: string): void;
  /** From queueing to the last acknowledgement of one call. */
  sent(topic: string, seconds: number): void;
  queued(bytes: number): void;
}

export const NO_PRODUCER_METRICS: ProducerMetrics = {
  acknowledged: () => undefined,
  failed: () => undefined,
  repeated: () => undefined,
  sent: () => undefined,
  queued: () => undefined,
};

type Instruments = ReturnType<typeof registered>;
const known = new WeakMap<Registry, Instruments>();

/** The metrics of a producer; the producers of a process share them. */
export function createProducerMetrics(registry: Registry): ProducerMetrics {
  let instruments = known.get(registry);
  if (instruments === undefined) {
    instruments = registered(registry);
    known.set(registry, instruments);
  }
  const { records, bytes, failures, repeats, seconds, queue } = instruments;
  let queued = 0;
  return {
    acknowledged: (topic, count, size) => {
      records.inc({ topic }, count);
      bytes.inc({ topic }, size);
    },
    failed: (topic, count, code) => {
      failures.inc({ topic, code }, count);
    },
    repeated: (topic) => {
      repeats.inc({ topic });
    },
    sent: (topic, duration) => {
      seconds.observe({ topic }, duration);
    },
    queued: (size) => {
      queue.inc(size - queued);
      queued = size;
    },
  };
}

function registered(registry: Registry) {
  const registers = [registry];
  const records = new Counter({
    name: 'powergrid_producer_acknowledged_records_total',
    help: 'Records that all in-sync replicas have acknowledged',
    labelNames: ['topic'],
    registers,
  });
  const bytes = new Counter({
    name: 'powergrid_producer_acknowledged_bytes_total',
    help: 'Bytes of acknowledged records: keys, values, headers',
    labelNames: ['topic'],
    registers,
  });
  const failures = new Counter({
    name: 'powergrid_producer_failed_records_total',
    help: 'Records that were refused or not acknowledged in time',
    labelNames: ['topic', 'code'],
    registers,
  });
  const repeats = new Counter({
    name: 'powergrid_producer_repeated_batches_total',
    help: 'Attempts to write a batch that failed and were repeated',
    labelNames: ['topic'],
    registers,
  });
  const seconds = new Histogram({
    name: 'powergrid_producer_send_seconds',
    help: 'Time from queueing to acknowledgement',
    labelNames: ['topic'],
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120],
    registers,
  });
  const queue = new Gauge({
    name: 'powergrid_producer_queue_bytes',
    help: 'Bytes that wait for an acknowledgement',
    registers,
  });
  return { records, bytes, failures, repeats, seconds, queue };
}
