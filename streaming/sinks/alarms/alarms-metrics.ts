import { Counter, Gauge, type Registry } from '../../../runtime/metrics.ts';
import { OutcomeCounter } from '../routed-records.ts';

/** What became of a record; the label of the sink's counter. `not-newer`: its own time is not after that of the newest. */
export type AlarmOutcome = 'watched' | 'not-newer' | 'without-rule' | 'replayed' | 'switched-off' | 'unreadable';

export interface OpenCount {
  readonly rule: string;
  readonly severity: string;
  readonly count: number;
}

export interface AlarmsMetrics {
  readonly records: OutcomeCounter<AlarmOutcome>;
  transition(rule: string, change: string): void;
  delivered(to: 'topic' | 'webhook', outcome: 'delivered' | 'refused' | 'too-old', changes: number): void;
}

/** What is asked at each scrape. */
export interface AlarmsSeen {
  readonly open: () => Iterable<OpenCount>;
  readonly oldestMs: (to: 'topic' | 'webhook') => number | undefined;
}

export function createAlarmsMetrics(registry: Registry, seen: AlarmsSeen): AlarmsMetrics {
  const registers = [registry];
  const transitions = new Counter({
    name: 'powergrid_alarms_transitions_total',
    help: 'Alarms that were raised and cleared, by rule.',
    labelNames: ['rule', 'change'] as const,
    registers,
  });
  const deliveries = new Counter({
    name: 'powergrid_alarms_deliveries_total',
    help: 'Changes of alarms that were settled: delivered to topic or webhook, refused by the webhook, or too old for it.',
    labelNames: ['to', 'outcome'] as const,
    registers,
  });
  new Gauge({
    name: 'powergrid_alarms_open',
    help: 'Open alarms of the partitions that are owned, by rule and severity.',
    labelNames: ['rule', 'severity'] as const,
    registers,
    collect() {
      this.reset();
      for (const { rule, severity, count } of seen.open()) this.inc({ rule, severity }, count);
    },
  });
  new Gauge({
    name: 'powergrid_alarms_delivery_lag_seconds',
    help: 'For how long the oldest change of an alarm has waited to be delivered.',
    labelNames: ['to'] as const,
    registers,
    collect() {
      for (const to of ['topic', 'webhook'] as const) {
        const oldestMs = seen.oldestMs(to);
        this.set({ to }, oldestMs === undefined ? 0 : Math.max(0, (Date.now() - oldestMs) / 1_000));
      }
    },
  });
  return {
    records: new OutcomeCounter(
      registry,
      'powergrid_alarms_records_total',
      'Records that the alarms sink has read, by what became of them.',
    ),
    transition(rule, change) {
      transitions.inc({ rule, change });
    },
    delivered(to, outcome, changes) {
      if (changes > 0) deliveries.inc({ to, outcome }, changes);
    },
  };
}
