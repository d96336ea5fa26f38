import { compareDecimals, decimalScale, scaledDecimal } from '../decimal-text.ts';
import type { RuleOf } from './rule.ts';

/** Where a value lies: beyond the limit at which an alarm is raised, within the one at which it is cleared, or between the two, where nothing changes. */
export type Verdict = 'beyond' | 'between' | 'within';

const PER_MS = { second: 1_000n, minute: 60_000n, hour: 3_600_000n };

/** @throws RangeError when the value is no number; so do the others */
export function rangeVerdict({ above, below }: RuleOf<'out-of-range'>, value: string): Verdict {
  if (above !== undefined && compareDecimals(value, above.raise) > 0) return 'beyond';
  if (below !== undefined && compareDecimals(value, below.raise) < 0) return 'beyond';
  const isWithin =
    (above === undefined || compareDecimals(value, above.clear) <= 0) &&
    (below === undefined || compareDecimals(value, below.clear) >= 0);
  return isWithin ? 'within' : 'between';
}

/** The limit of a range that a value is beyond, as text: `> 50.2`. */
export function rangeLimit({ above, below }: RuleOf<'out-of-range'>, value: string): string {
  if (above !== undefined && (below === undefined || compareDecimals(value, above.raise) > 0))
    return `> ${above.raise}`;
  return `< ${below?.raise ?? ''}`;
}

/** How fast a value changed over some time, compared without dividing: |Δ| · per against limit · Δt. Doubles decide where their error cannot matter, else digits do. */
export function rateVerdict(rule: RuleOf<'rate-of-change'>, from: string, to: string, ms: number): Verdict {
  if (from === to) return 'within';
  return rateVerdictOfDoubles(rule, Number(from), Number(to), ms) ?? exactRateVerdict(rule, from, to, ms);
}

export function exactRateVerdict(
  { change, per }: RuleOf<'rate-of-change'>,
  from: string,
  to: string,
  ms: number,
): Verdict {
  const scale = scaleOf(from, to, change.raise, change.clear);
  const moved = absolute(scaledDecimal(to, scale) - scaledDecimal(from, scale)) * PER_MS[per];
  const time = BigInt(ms);
  return verdictOf(moved, scaledDecimal(change.raise, scale) * time, scaledDecimal(change.clear, scale) * time);
}

/** Much more than what a double, and a few operations on it, are off by; as a share. */
const DOUBLE_ERROR = 1e-14;

function rateVerdictOfDoubles(
  { change, per }: RuleOf<'rate-of-change'>,
  from: number,
  to: number,
  ms: number,
): Verdict | undefined {
  const perMs = Number(PER_MS[per]);
  const moved = Math.abs(to - from) * perMs;
  const error = (Math.abs(from) + Math.abs(to)) * perMs * DOUBLE_ERROR;
  const raise = Number(change.raise) * ms;
  const clear = Number(change.clear) * ms;
  // What is so small that doubles have few digits left is for digits to decide.
  if (!(error > Number.MIN_VALUE / DOUBLE_ERROR)) return undefined;
  if (moved + error < clear * (1 - DOUBLE_ERROR)) return 'within';
  if (moved - error > raise * (1 + DOUBLE_ERROR)) return 'beyond';
  return moved - error > clear * (1 + DOUBLE_ERROR) && moved + error < raise * (1 - DOUBLE_ERROR)
    ? 'between'
    : undefined;
}

/** How far what was measured is off what was foretold. What is off by less than `least` is within. */
export function forecastVerdict(
  { off, of, least }: RuleOf<'forecast-missed'>,
  forecast: string,
  measured: string,
): Verdict {
  const scale = scaleOf(forecast, measured, off.raise, off.clear, least);
  const foretold = scaledDecimal(forecast, scale);
  const gap = absolute(scaledDecimal(measured, scale) - foretold);
  if (gap < scaledDecimal(least, scale)) return 'within';
  const [raise, clear] = [scaledDecimal(off.raise, scale), scaledDecimal(off.clear, scale)];
  if (of === 'unit') return verdictOf(gap, raise, clear);
  const whole = gap * 100n * 10n ** BigInt(scale);
  return verdictOf(whole, raise * absolute(foretold), clear * absolute(foretold));
}

function verdictOf(amount: bigint, raise: bigint, clear: bigint): Verdict {
  if (amount > raise) return 'beyond';
  return amount <= clear ? 'within' : 'between';
}

function scaleOf(...texts: readonly string[]): number {
  return Math.max(...texts.map(decimalScale));
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
