import { decimalText, EXACT_SCALE, unitsOf } from '../../grid/aggregate/exact-decimal.ts';
import { windowLengthMs, type Resolution } from '../../grid/aggregate/window.ts';
import type { MergedWindow, Provenance } from '../../connectors/postgres/serving/merged-view.ts';

/** Whether more may be added to a window. */
export const WINDOW_STATES = ['provisional', 'final', 'corrected'] as const;
export type WindowState = (typeof WINDOW_STATES)[number];

/** Digits behind the point of what is divided, and so may have no end. */
const QUOTIENT_SCALE = EXACT_SCALE;
/** Of a weighted sum: values rounded to 8 decimals, times whole milliseconds. */
const WEIGHTED_SCALE = 8;
const MS_PER_HOUR = 3_600_000n;

/** A window as it is answered. */
export interface AnsweredWindow {
  readonly unit: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly state: WindowState;
  /** Which layer its readings came from. */
  readonly part: 'batch' | 'speed' | 'both';
  readonly count: number;
  /** Of these, of the speed layer. */
  readonly speedCount: number;
  /** Readings whose value is too large or too fine to be added up. */
  readonly inexact: number;
  readonly sum: string;
  readonly min: string | undefined;
  readonly max: string | undefined;
  /** Sum by count, 18 digits behind the point. */
  readonly mean: string | undefined;
  readonly sumOfSquares: string;
  readonly first: string;
  readonly last: string;
  /** Each value counting for as long as it held. Of the batch layer alone. */
  readonly weightedMean: string | undefined;
  /** Its integral over time, unit × hours. */
  readonly energy: string | undefined;
  /** Readings of the speed layer are not in the two yet. */
  readonly isWeightingProvisional: boolean;
}

/** What a merged window means, with the state that its provenance gives it. */
export function answeredWindow(
  window: MergedWindow,
  resolution: Resolution,
  passedMs: number | undefined,
): AnsweredWindow {
  const endMs = window.startMs + windowLengthMs(resolution);
  const isPassed = passedMs !== undefined && endMs <= passedMs;
  const { batchCount, count, inexact, weightedSum, weightedMs } = window;
  const exactCount = BigInt(count - inexact);
  return {
    unit: window.unit,
    startMs: window.startMs,
    endMs,
    state: !isPassed ? 'provisional' : window.isCorrected ? 'corrected' : 'final',
    part: batchCount === 0 ? 'speed' : batchCount === count ? 'batch' : 'both',
    count,
    speedCount: count - batchCount,
    inexact,
    sum: window.sum,
    min: window.min,
    max: window.max,
    mean: quotient(unitsOf(window.sum, EXACT_SCALE), EXACT_SCALE, exactCount),
    sumOfSquares: window.sumOfSquares,
    first: window.firstValue,
    last: window.lastValue,
    weightedMean:
      weightedSum === undefined
        ? undefined
        : quotient(unitsOf(weightedSum, WEIGHTED_SCALE), WEIGHTED_SCALE, BigInt(weightedMs ?? 0)),
    energy:
      weightedSum === undefined
        ? undefined
        : quotient(unitsOf(weightedSum, WEIGHTED_SCALE), WEIGHTED_SCALE, MS_PER_HOUR),
    isWeightingProvisional: count !== batchCount,
  };
}

/**
 * The event time that every partition has passed: a window that ends by then takes no reading but a late one. Without a speed layer it is when the
 * batch view was published. Undefined: nothing is known.
 */
export function passedEventTimeMs({ speed, build }: Provenance): number | undefined {
  if (speed.length === 0) return build?.publishedMs;
  let passedMs = Infinity;
  for (const { watermarkMs } of speed) {
    // A partition that has never had a reading holds nothing up.
    if (watermarkMs !== undefined) passedMs = Math.min(passedMs, watermarkMs);
  }
  return passedMs === Infinity ? undefined : passedMs;
}

/** Half away from zero; undefined when there is nothing to divide by. */
function quotient(units: bigint, scale: number, divisor: bigint): string | undefined {
  if (divisor <= 0n) return undefined;
  const scaled = units * 10n ** BigInt(QUOTIENT_SCALE - scale);
  const half = divisor / 2n;
  const rounded = scaled < 0n ? -((-scaled + half) / divisor) : (scaled + half) / divisor;
  return decimalText(rounded, QUOTIENT_SCALE);
}
