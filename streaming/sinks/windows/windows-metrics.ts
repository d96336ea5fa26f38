import { Counter, Gauge, Histogram, type Registry } from '../../../runtime/metrics.ts';
import { OutcomeCounter } from '../routed-records.ts';

/** What became of a record; the label of the sink's counter. */
export type WindowOutcome = 'folded' | 'duplicate' | 'switched-off' | 'unreadable';

export interface WindowsMetrics {
  readonly records: OutcomeCounter<WindowOutcome>;
  /** Rows that a transaction has changed, and of them those that had been final. */
  folded(topic: string, rows: number, late: number, durationMs: number): void;
  finalized(topic: string, rows: number): void;
}

/** @param watermarks of all partitions that are owned, asked at each scrape; epoch ms */
export function createWindowsMetrics(
  registry: Registry,
  watermarks: () => Iterable<{ readonly topic: string; readonly partition: number; readonly watermarkMs: number }>,
): WindowsMetrics {
  const registers = [registry];
  const labelNames = ['topic'] as const;
  const rows = new Counter({
    name: 'powergrid_windows_rows_total',
    help: 'Rows of the speed view that were written, by what for: readings, readings for windows that had been final, the end of a window.',
    labelNames: ['topic', 'change'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'powergrid_windows_transaction_seconds',
    help: 'Time that a transaction took which added to windows.',
    labelNames,
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  new Gauge({
    name: 'powergrid_windows_watermark_delay_seconds',
    help: 'How far the watermark of a partition is behind the clock.',
    labelNames: ['topic', 'partition'] as const,
    registers,
    collect() {
      this.reset();
      for (const { topic, partition, watermarkMs } of watermarks()) {
        this.set({ topic, partition: String(partition) }, (Date.now() - watermarkMs) / 1_000);
      }
    },
  });
  return {
    records: new OutcomeCounter(
      registry,
      'powergrid_windows_records_total',
      'Records that the windows sink has read, by what became of them.',
    ),
    folded(topic, count, late, durationMs) {
      if (count > late) rows.inc({ topic, change: 'folded' }, count - late);
      if (late > 0) rows.inc({ topic, change: 'corrected' }, late);
      seconds.observe({ topic }, durationMs / 1_000);
    },
    finalized(topic, count) {
      if (count > 0) rows.inc({ topic, change: 'final' }, count);
    },
  };
}
