import { compareDecimals } from '../decimal-text.ts';
import { forecastVerdict, rangeVerdict, rateVerdict, type Verdict } from './limits.ts';
import type { AlarmRule } from './rule.ts';

/** What of a reading alarms are made from. Times are epoch ms. */
export interface Observation {
  /** The reading's own time. */
  readonly eventMs: number;
  /** When Kafka got it. */
  readonly appendedMs: number;
  readonly value: string;
  readonly offset: number;
}

/** Since when a rule's value has been beyond its limit, or within, without a break; by the readings' own time. */
export interface Run {
  verdict: Verdict;
  sinceMs: number;
}

/** What readings have told of a series so far; a function of the log alone. It is kept as JSON. */
export interface SeriesFacts {
  /** Its newest reading; ordered by its own time, but not later than Kafka got it. */
  orderMs: number;
  eventMs: number;
  appendedMs: number;
  value: string;
  offset: number;
  /** All records of the partition up to it are in here. */
  appliedOffset: number;
  /** The longest usual time between two readings, as Kafka gets them; 0 while it is not known. */
  gapMs: number;
  gaps: number;
  /** Since when the value has not changed, and how many readings have said so. */
  sameSinceMs: number;
  sameCount: number;
  /** By the id of a rule: runs of those rules that have limits. */
  runs: Record<string, Run>;
  /** Foretold values that wait for their time: time and value, by time. */
  forecasts: [number, string][];
  /** Readings older than the newest that came one after the other by their own time: a clock that was put back. */
  olderCount: number;
  olderMs: number;
}

/** A number whose digits are not worth their time is not judged; nothing that is measured has as many. */
const MOST_DIGITS = 100;
export const MOST_FORECASTS = 128;
/** Gaps after which a pace is known. */
export const LEAST_GAPS = 3;
/** How much longer than known a gap may count: an outage is no pace. */
const LONGEST_GAP_TIMES = 2;
/** A long gap fades over so many gaps of its own length. */
const FADING_TIMES = 16;
/** So many readings in order, so long after the last newer one, say that the clock of a series was put back. */
const RESTART_READINGS = 30;
const RESTART_MS = 30_000;

export function firstFacts(): SeriesFacts {
  return {
    ...{ orderMs: Number.MIN_SAFE_INTEGER, eventMs: 0, appendedMs: 0, value: '', offset: -1, appliedOffset: -1 },
    ...{ gapMs: 0, gaps: 0, sameSinceMs: 0, sameCount: 0, runs: {}, forecasts: [], olderCount: 0, olderMs: 0 },
  };
}

/**
 * Takes a reading in. One that is not newer than the newest, by its own time, changes nothing that alarms are made from: so what comes late, or again, opens
 * and closes none.
 *
 * @param rules that watch the series
 * @returns whether it is the newest
 */
export function observe(facts: SeriesFacts, rules: readonly AlarmRule[], reading: Observation): boolean {
  if (reading.offset <= facts.appliedOffset) return false;
  facts.appliedOffset = reading.offset;
  // A clock that is ahead must not make all that follows look old.
  const orderMs = Math.min(reading.eventMs, reading.appendedMs);
  if (orderMs <= facts.orderMs && !hasRestarted(facts, orderMs, reading.appendedMs)) return false;
  const isFirst = facts.offset < 0;
  if (!isFirst) {
    learnGap(facts, reading.appendedMs - facts.appendedMs);
    judge(facts, rules, reading, orderMs);
  } else {
    judgeFirst(facts, rules, reading);
  }
  const isSame = !isFirst && isEqual(facts.value, reading.value);
  if (!isSame) facts.sameSinceMs = reading.eventMs;
  facts.sameCount = isSame ? facts.sameCount + 1 : 1;
  facts.orderMs = orderMs;
  facts.eventMs = reading.eventMs;
  facts.appendedMs = reading.appendedMs;
  facts.value = reading.value;
  facts.offset = reading.offset;
  facts.olderCount = 0;
  return true;
}

/** Takes in what was foretold for a time; the last word for a time counts. */
export function foretell(facts: SeriesFacts, forMs: number, value: string): void {
  if (forMs <= facts.eventMs && facts.offset >= 0) return;
  const { forecasts } = facts;
  let at = forecasts.length;
  while (at > 0 && (forecasts[at - 1]?.[0] ?? 0) > forMs) at--;
  if (at > 0 && forecasts[at - 1]?.[0] === forMs) forecasts[at - 1] = [forMs, value];
  else forecasts.splice(at, 0, [forMs, value]);
  // The farthest is told again.
  if (forecasts.length > MOST_FORECASTS) forecasts.pop();
}

/** How long a series may be silent until a rule calls it stale, ms; undefined while its pace is not known. */
export function silenceMs(
  facts: SeriesFacts,
  {
    times,
    leastSeconds,
    mostSeconds,
  }: { readonly times: number; readonly leastSeconds: number; readonly mostSeconds: number },
): number | undefined {
  if (facts.gaps < LEAST_GAPS) return undefined;
  return Math.max(leastSeconds * 1_000, Math.min(mostSeconds * 1_000, times * facts.gapMs));
}

function judgeFirst(facts: SeriesFacts, rules: readonly AlarmRule[], reading: Observation): void {
  for (const rule of rules) {
    if (rule.kind === 'out-of-range') run(facts, rule.id, reading, () => rangeVerdict(rule, reading.value));
  }
}

function judge(facts: SeriesFacts, rules: readonly AlarmRule[], reading: Observation, orderMs: number): void {
  for (const rule of rules) {
    if (rule.kind === 'out-of-range') run(facts, rule.id, reading, () => rangeVerdict(rule, reading.value));
    else if (rule.kind === 'rate-of-change') {
      const ms = orderMs - facts.orderMs;
      // Over too long a time nobody knows how fast it was.
      if (ms > rule.withinSeconds * 1_000) run(facts, rule.id, reading, () => 'between');
      else run(facts, rule.id, reading, () => rateVerdict(rule, facts.value, reading.value, ms));
    } else if (rule.kind === 'forecast-missed') {
      for (const [forMs, forecast] of facts.forecasts) {
        if (forMs > reading.eventMs) break;
        if (reading.eventMs - forMs > rule.withinSeconds * 1_000) continue;
        run(facts, rule.id, reading, () => forecastVerdict(rule, forecast, reading.value));
      }
    }
  }
  while (facts.forecasts.length > 0 && (facts.forecasts[0]?.[0] ?? 0) <= reading.eventMs) facts.forecasts.shift();
}

function run(facts: SeriesFacts, ruleId: string, reading: Observation, verdictOf: () => Verdict): void {
  const verdict = judged(reading.value, verdictOf);
  const last = facts.runs[ruleId];
  if (last?.verdict === verdict) return;
  facts.runs[ruleId] = { verdict, sinceMs: reading.eventMs };
}

function judged(value: string, verdictOf: () => Verdict): Verdict {
  if (value.length > MOST_DIGITS) return 'between';
  try {
    return verdictOf();
  } catch (error) {
    // An exponent beyond any measurement.
    if (error instanceof RangeError) return 'between';
    throw error;
  }
}

function isEqual(one: string, other: string): boolean {
  if (one === other) return true;
  if (one.length > MOST_DIGITS || other.length > MOST_DIGITS) return false;
  try {
    return compareDecimals(one, other) === 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Quick to lengthen, slow to shorten; in whole ms. */
function learnGap(facts: SeriesFacts, gapMs: number): void {
  const gap = Math.max(0, gapMs);
  const known = facts.gapMs;
  if (gap >= known) {
    const isPaceKnown = facts.gaps >= LEAST_GAPS && known > 0;
    facts.gapMs = isPaceKnown ? Math.min(gap, LONGEST_GAP_TIMES * known) : gap;
  } else {
    facts.gapMs = Math.round(known - ((known - gap) * gap) / (FADING_TIMES * known));
  }
  if (facts.gaps < LEAST_GAPS) facts.gaps++;
}

/** Whether older readings have come in order for so long that the series begins anew from them, as a recording does that is played again. */
function hasRestarted(facts: SeriesFacts, orderMs: number, appendedMs: number): boolean {
  // The same reading again is nothing of the kind.
  if (orderMs === facts.orderMs) return false;
  facts.olderCount = facts.olderCount > 0 && orderMs > facts.olderMs ? facts.olderCount + 1 : 1;
  facts.olderMs = orderMs;
  if (facts.olderCount < RESTART_READINGS || appendedMs - facts.appendedMs < RESTART_MS) return false;
  const { appliedOffset, gapMs, gaps } = facts;
  Object.assign(facts, firstFacts(), { appliedOffset, gapMs, gaps, runs: {}, forecasts: [] });
  return true;
}
