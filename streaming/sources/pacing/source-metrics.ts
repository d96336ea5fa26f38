import { Counter, Gauge, type Registry } from '../../../runtime/metrics.ts';
import type { RunnerObserver } from './source-runner.ts';

/** Registers the metrics of all sources of a process; once. */
export function createSourceMetrics(registry: Registry): RunnerObserver {
  const registers = [registry];
  const records = new Counter({
    name: 'powergrid_source_records_total',
    help: 'Records that Kafka acknowledged, by kind; kinds overlap, "total" counts each record once',
    labelNames: ['source', 'kind'],
    registers,
  });
  const retries = new Counter({
    name: 'powergrid_source_retries_total',
    help: 'Batches that had to be sent again',
    labelNames: ['source', 'code'],
    registers,
  });
  const lag = new Gauge({
    name: 'powergrid_source_schedule_lag_seconds',
    help: 'How far a source is behind its pace, in seconds of its schedule',
    labelNames: ['source'],
    registers,
  });
  return {
    acknowledged: (source, counts) => {
      for (const [kind, count] of Object.entries(counts)) records.inc({ source, kind }, count);
    },
    retried: (source, code) => {
      retries.inc({ source, code });
    },
    lag: (source, lagMs) => {
      lag.set({ source }, lagMs / 1_000);
    },
  };
}
