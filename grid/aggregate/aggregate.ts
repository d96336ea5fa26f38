import type { Reading } from '../reading.ts';
import { eventTimeOrderKey } from '../decimal-text.ts';
import { storableText } from '../storable-text.ts';
import { isTextBefore } from '../text-order.ts';
import { exactUnits } from './exact-decimal.ts';

/**
 * What a window says of its readings: a commutative monoid, so that parts of it may be computed anywhere, in any order and grouping,
 * and come to the same digits. The batch views and the windows of the speed layer are both made of it.
 *
 * Values that DECIMAL(38,18) cannot hold are counted in `inexact` and take part in nothing else but `count`, `first` and `last`.
 * Squares are of values rounded to 8 decimals, half away from zero, of less than 10¹⁰ ({@link SQUARE_SCALE}), which Hive's decimals
 * can multiply without loss; larger values are counted in `unsquared`.
 */
export interface Aggregate {
  /** Readings. */
  readonly count: number;
  /** Readings whose value is not in the sum, the extremes and the squares. */
  readonly inexact: number;
  /** Of the others, those that are not in the sum of squares. */
  readonly unsquared: number;
  /** In units of 10⁻¹⁸. */
  readonly sum: bigint;
  /** In units of 10⁻¹⁶. */
  readonly sumOfSquares: bigint;
  /** In units of 10⁻¹⁸; undefined without an exact value. */
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
  /** Undefined only in {@link EMPTY}. */
  readonly first: ValueAtTime | undefined;
  readonly last: ValueAtTime | undefined;
}

/** A value and its place in time. */
export interface ValueAtTime {
  /** {@link eventTimeOrderKey} of the event time, then the correlation id, which decides between readings of one moment. */
  readonly order: string;
  /** The value's own text. */
  readonly value: string;
}

/** Decimals of a value of which the square is taken. */
const SQUARED_DECIMALS = 8;
/** Digits behind the point of a square. */
export const SQUARE_SCALE = 2 * SQUARED_DECIMALS;
const ROUNDED_AWAY = 10n ** BigInt(18 - SQUARED_DECIMALS);
/** 10¹⁰ in units of 10⁻⁸. */
const TOO_LARGE_TO_SQUARE = 10n ** 18n;

/** The aggregate of no reading: the identity of {@link merged}. */
export const EMPTY: Aggregate = {
  count: 0,
  inexact: 0,
  unsquared: 0,
  sum: 0n,
  sumOfSquares: 0n,
  min: undefined,
  max: undefined,
  first: undefined,
  last: undefined,
};

/** The aggregate of one reading. */
export function aggregateOf(reading: Pick<Reading, 'modality' | 'createdAt' | 'correlationId'>): Aggregate {
  const at = { order: orderOf(reading), value: reading.modality };
  const units = exactUnits(reading.modality);
  const known = { count: 1, first: at, last: at };
  if (units === undefined) return { ...EMPTY, ...known, inexact: 1 };
  const rounded = roundedToSquare(units);
  const isSquared = rounded < TOO_LARGE_TO_SQUARE && rounded > -TOO_LARGE_TO_SQUARE;
  return {
    ...known,
    inexact: 0,
    unsquared: isSquared ? 0 : 1,
    sum: units,
    sumOfSquares: isSquared ? rounded * rounded : 0n,
    min: units,
    max: units,
  };
}

/** The place in time of a reading, as text that a database can hold: without NUL and halves of surrogate pairs. */
export function orderOf({ createdAt, correlationId }: Pick<Reading, 'createdAt' | 'correlationId'>): string {
  return `${eventTimeOrderKey(createdAt)} ${storableText(correlationId)}`;
}

/** The aggregate of the readings of both. Readings must not be in both. */
export function merged(one: Aggregate, other: Aggregate): Aggregate {
  if (one.count === 0) return other;
  if (other.count === 0) return one;
  return {
    count: one.count + other.count,
    inexact: one.inexact + other.inexact,
    unsquared: one.unsquared + other.unsquared,
    sum: one.sum + other.sum,
    sumOfSquares: one.sumOfSquares + other.sumOfSquares,
    min: chosen(one.min, other.min, (a, b) => a < b),
    max: chosen(one.max, other.max, (a, b) => a > b),
    first: chosen(one.first, other.first, isBefore),
    last: chosen(one.last, other.last, (a, b) => isBefore(b, a)),
  };
}

/** Half away from zero, as SQL's ROUND does. */
function roundedToSquare(units: bigint): bigint {
  const half = ROUNDED_AWAY / 2n;
  return units < 0n ? -((-units + half) / ROUNDED_AWAY) : (units + half) / ROUNDED_AWAY;
}

function chosen<T>(one: T | undefined, other: T | undefined, isBetter: (a: T, b: T) => boolean): T | undefined {
  if (one === undefined) return other;
  return other === undefined || !isBetter(other, one) ? one : other;
}

/** Of readings that are one in time and id (the same sent twice, with another value) the smaller text is first. */
export function isBefore(a: ValueAtTime, b: ValueAtTime): boolean {
  return isTextBefore(a.order, b.order) || (a.order === b.order && a.value < b.value);
}
