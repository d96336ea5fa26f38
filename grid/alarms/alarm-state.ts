import { compareDecimals } from '../decimal-text.ts';
import { GridError } from '../errors.ts';
import { rangeLimit } from './limits.ts';
import type { AlarmRule, Severity } from './rule.ts';
import { silenceMs, type SeriesFacts } from './series-facts.ts';

/**
 * An alarm of one rule and series:
 *
 *     normal ──raised──► raised ──acknowledged──► acknowledged
 *        ▲                 │                           │
 *        └─────cleared─────┴──────────cleared──────────┘
 */
export type AlarmState = 'normal' | 'raised' | 'acknowledged';
export const ALARM_CHANGES = ['raised', 'acknowledged', 'cleared'] as const;
export type AlarmChange = (typeof ALARM_CHANGES)[number];

const NEXT: Readonly<Record<AlarmState, Partial<Record<AlarmChange, AlarmState>>>> = {
  normal: { raised: 'raised' },
  raised: { acknowledged: 'acknowledged', cleared: 'normal' },
  acknowledged: { cleared: 'normal' },
};

/** @throws GridError `defect` when the change does not lead on from the state */
export function nextState(state: AlarmState, change: AlarmChange): AlarmState {
  const next = NEXT[state][change];
  if (next === undefined) {
    throw new GridError(
      'defect',
      `An alarm is ${state} and cannot be ${change}. This is a defect of the program; please report it.`,
    );
  }
  return next;
}

/** Why an alarm was raised or cleared, where it was no reading. */
export type AlarmReason = 'reading' | 'silence' | 'rule-removed';

/** What becomes of an alarm, with the time of the reading that decided it. */
export interface Transition {
  readonly change: 'raised' | 'cleared';
  readonly ruleId: string;
  readonly severity: Severity;
  readonly kind: AlarmRule['kind'];
  readonly reason: AlarmReason;
  /** The reading's own time, epoch ms; of silence that of the last reading. */
  readonly atMs: number;
  /** The reading's own time since when it has been so. */
  readonly sinceMs: number;
  readonly value: string;
  /** What the value is beyond, as text. */
  readonly limit: string;
  readonly offset: number;
}

/** What is known of an alarm that is raised, acknowledged or not. */
export type Raised = Pick<Transition, 'ruleId' | 'severity' | 'kind' | 'limit'>;

/**
 * What the newest reading does to an alarm, after the facts have taken it in; nothing when the answer is undefined.
 *
 * @param open the alarm, if it is raised
 */
export function decide(rule: AlarmRule, facts: SeriesFacts, open: Raised | undefined): Transition | undefined {
  switch (rule.kind) {
    case 'stale':
      return open === undefined ? undefined : cleared(open, facts, facts.eventMs);
    case 'stuck':
      return decideStuck(rule, facts, open);
    case 'out-of-range':
    case 'rate-of-change':
    case 'forecast-missed':
      return decideRun(rule, facts, open);
  }
}

/**
 * What silence does to an alarm: raised once nothing newer has come for too long.
 *
 * @param nowMs a moment up to which all that Kafka had got was read
 */
export function decideSilence(
  rule: AlarmRule,
  facts: SeriesFacts,
  open: Raised | undefined,
  nowMs: number,
): Transition | undefined {
  if (rule.kind !== 'stale' || open !== undefined) return undefined;
  const silence = silenceMs(facts, rule);
  if (silence === undefined || nowMs - facts.appendedMs <= silence) return undefined;
  return { ...raised(rule, facts, facts.eventMs), reason: 'silence' };
}

/** The clearing of an alarm whose rule does not watch the series any more. */
export function withoutRule(open: Raised, facts: SeriesFacts): Transition {
  return { ...cleared(open, facts, facts.eventMs), reason: 'rule-removed' };
}

function decideStuck(
  rule: AlarmRule & { readonly kind: 'stuck' },
  facts: SeriesFacts,
  open: Raised | undefined,
): Transition | undefined {
  const isStuck = facts.sameCount >= rule.leastReadings && facts.eventMs - facts.sameSinceMs >= rule.forSeconds * 1_000;
  if (open !== undefined) return facts.sameCount === 1 ? cleared(open, facts, facts.eventMs) : undefined;
  return isStuck && !isExcepted(rule.except, facts.value) ? raised(rule, facts, facts.sameSinceMs) : undefined;
}

function isExcepted(values: readonly string[], value: string): boolean {
  try {
    return values.some((one) => compareDecimals(one, value) === 0);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function decideRun(
  rule: AlarmRule & { readonly kind: 'out-of-range' | 'rate-of-change' | 'forecast-missed' },
  facts: SeriesFacts,
  open: Raised | undefined,
): Transition | undefined {
  const run = facts.runs[rule.id];
  if (run === undefined) return undefined;
  const lastedMs = facts.eventMs - run.sinceMs;
  if (open === undefined) {
    return run.verdict === 'beyond' && lastedMs >= rule.forSeconds * 1_000
      ? raised(rule, facts, run.sinceMs)
      : undefined;
  }
  return run.verdict === 'within' && lastedMs >= rule.clearForSeconds * 1_000
    ? cleared(open, facts, run.sinceMs)
    : undefined;
}

function raised(rule: AlarmRule, facts: SeriesFacts, sinceMs: number): Transition {
  const { id: ruleId, severity, kind } = rule;
  return {
    change: 'raised',
    reason: 'reading',
    ...{ ruleId, severity, kind },
    limit: limitText(rule, facts),
    ...newest(facts),
    sinceMs,
  };
}

function cleared({ ruleId, severity, kind, limit }: Raised, facts: SeriesFacts, sinceMs: number): Transition {
  return { change: 'cleared', reason: 'reading', ...{ ruleId, severity, kind, limit }, ...newest(facts), sinceMs };
}

function newest({ eventMs, value, offset }: SeriesFacts): Pick<Transition, 'atMs' | 'value' | 'offset'> {
  return { atMs: eventMs, value, offset };
}

/** The limit in words and digits. */
function limitText(rule: AlarmRule, facts: SeriesFacts): string {
  switch (rule.kind) {
    case 'stale': {
      const silence = silenceMs(facts, rule);
      return `silent for ${silence === undefined ? '?' : String(Math.round(silence / 1_000))} s`;
    }
    case 'stuck':
      return `unchanged for ${rule.forSeconds} s`;
    case 'out-of-range':
      return rangeLimitOf(rule, facts.value);
    case 'rate-of-change':
      return `> ${rule.change.raise} per ${rule.per}`;
    case 'forecast-missed':
      return `off by > ${rule.off.raise}${rule.of === 'percent' ? ' %' : ''}`;
  }
}

function rangeLimitOf(rule: AlarmRule & { readonly kind: 'out-of-range' }, value: string): string {
  try {
    return rangeLimit(rule, value);
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}
