import type { OpenAlarm, SavedSeries } from '../../../connectors/postgres/serving/alarm-store.ts';
import type { AlarmRule, SeriesName } from '../../../grid/alarms/rule.ts';
import { firstFacts, silenceMs, type SeriesFacts } from '../../../grid/alarms/series-facts.ts';

/** A series, what is known of it, the rules that watch it, and its open alarms by rule. */
export class WatchedSeries {
  readonly name: SeriesName;
  readonly open = new Map<string, OpenAlarm>();
  rules: readonly AlarmRule[];
  /** The route by which rules were chosen. */
  route: string;
  facts: SeriesFacts = firstFacts();
  /** Whether something is known that the table does not say. */
  isChanged = false;
  /** The turn in which it was needed last. */
  turn = 0;

  constructor(name: SeriesName, rules: readonly AlarmRule[], route: string) {
    this.name = name;
    this.rules = rules;
    this.route = route;
  }

  /** When a rule calls it stale, if nothing newer comes; undefined when none does, or has. */
  get quietMs(): number | undefined {
    let quiet: number | undefined;
    for (const rule of this.rules) {
      if (rule.kind !== 'stale' || this.open.has(rule.id)) continue;
      const silence = silenceMs(this.facts, rule);
      if (silence !== undefined) quiet = Math.min(quiet ?? Infinity, this.facts.appendedMs + silence);
    }
    return quiet;
  }

  get saved(): SavedSeries {
    return { ...this.name, facts: JSON.stringify(this.facts), quietMs: this.quietMs };
  }
}

/** Names a series among those of a partition; no sensor id has a control character. */
export function seriesKey({ sensorId, aspect, unit }: SeriesName): string {
  return `${sensorId}\0${aspect}\0${unit}`;
}

/** Facts as they were kept. */
export function factsOf(text: string): SeriesFacts {
  // Written here, by the same process or one like it; what a later version adds has its first value.
  return { ...firstFacts(), ...(JSON.parse(text) as Partial<SeriesFacts>) };
}
