import { eventTimeOrderKey } from '../decimal-text.ts';
import type { Reading } from '../reading.ts';
import {
  aggregateOf,
  EMPTY,
  isBefore,
  merged,
  orderOf,
  SQUARE_SCALE,
  type Aggregate,
  type ValueAtTime,
} from './aggregate.ts';
import { EXACT_SCALE } from './exact-decimal.ts';

type Measured = Pick<Reading, 'modality' | 'createdAt' | 'correlationId' | 'eventTimeMs'>;

/** Decimals of {@link smallUnits}; as many as squares are taken of, so that nothing has to be rounded. */
const SMALL_SCALE = SQUARE_SCALE / 2;
const SMALL_FACTOR = 10n ** BigInt(EXACT_SCALE - SMALL_SCALE);
const HALF_BITS = 24;
const HALF = 2 ** HALF_BITS;
/** Such units, and sums of {@link MOST_SMALL} of the products of their halves, are whole numbers that a double holds exactly. */
const SMALL_LIMIT = 2 ** 48;
const MOST_SMALL = 32;
const POWERS = Array.from({ length: SMALL_SCALE + 1 }, (_, exponent) => 10 ** exponent);
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const POINT = 0x2e;

/**
 * Takes readings one by one and is then their {@link Aggregate}, digit for digit the one that `merged` and `aggregateOf` come to, at a tenth of
 * the cost: most values have few digits, and are added up as whole numbers in doubles, which become big ones only now and then.
 */
export class Accumulator {
  /** What has left the small figures below. */
  #rest: Aggregate = EMPTY;
  #count = 0;
  /** Of `#count` readings: the sum and the extremes in units of 10⁻⁸, and the products of their halves. */
  #sum = 0;
  #highs = 0;
  #mixed = 0;
  #lows = 0;
  #min = Infinity;
  #max = -Infinity;
  #first: Measured | undefined;
  #last: Measured | undefined;

  /** Readings that it has taken. */
  get count(): number {
    return this.#rest.count + this.#count;
  }

  /** Takes a reading; whether it is the first or the last by event time now, which is kept hold of. */
  add(reading: Measured): boolean {
    const units = smallUnits(reading.modality);
    if (Number.isNaN(units)) {
      this.#rest = merged(this.#rest, aggregateOf(reading));
      return true;
    }
    if (this.#count === MOST_SMALL) this.#settle();
    this.#count++;
    this.#sum += units;
    const size = Math.abs(units);
    const high = Math.floor(size / HALF);
    const low = size - high * HALF;
    this.#highs += high * high;
    this.#mixed += high * low;
    this.#lows += low * low;
    if (units < this.#min) this.#min = units;
    if (units > this.#max) this.#max = units;
    let isKept = false;
    if (this.#first === undefined || comesBefore(reading, this.#first)) {
      this.#first = reading;
      isKept = true;
    }
    if (this.#last === undefined || comesBefore(this.#last, reading)) {
      this.#last = reading;
      isKept = true;
    }
    return isKept;
  }

  /** The aggregate of all that it has taken. */
  aggregate(): Aggregate {
    this.#settle();
    const { first, last } = { first: this.#first, last: this.#last };
    if (first !== undefined && last !== undefined) {
      // They count already; what is merged here is their place in time alone.
      const { count } = this.#rest;
      const times = merged(this.#rest, { ...EMPTY, count: 1, first: valueAtTime(first), last: valueAtTime(last) });
      this.#rest = { ...times, count };
      this.#first = undefined;
      this.#last = undefined;
    }
    return this.#rest;
  }

  #settle(): void {
    if (this.#count === 0) return;
    const { first, last, ...rest } = this.#rest;
    const small: Aggregate = {
      ...EMPTY,
      count: this.#count,
      sum: BigInt(this.#sum) * SMALL_FACTOR,
      sumOfSquares:
        (BigInt(this.#highs) << BigInt(2 * HALF_BITS)) +
        (BigInt(this.#mixed) << BigInt(HALF_BITS + 1)) +
        BigInt(this.#lows),
      min: BigInt(this.#min) * SMALL_FACTOR,
      max: BigInt(this.#max) * SMALL_FACTOR,
    };
    this.#rest = { ...merged({ ...rest, first: undefined, last: undefined }, small), first, last };
    this.#count = 0;
    this.#sum = 0;
    this.#highs = 0;
    this.#mixed = 0;
    this.#lows = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
  }
}

/** A plain number of up to 15 digits, 8 of them behind the point, in units of 10⁻⁸; NaN for any other, and for large ones. */
function smallUnits(text: string): number {
  const isNegative = text.charCodeAt(0) === MINUS;
  let digits = 0;
  let value = 0;
  let decimals = -1;
  for (let at = isNegative ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      digits++;
      if (decimals >= 0) decimals++;
    } else if (code === POINT && decimals < 0) decimals = 0;
    else return Number.NaN;
  }
  if (digits === 0 || digits > 15 || decimals > SMALL_SCALE) return Number.NaN;
  const units = value * (POWERS[SMALL_SCALE - Math.max(decimals, 0)] ?? Number.NaN);
  if (!(units < SMALL_LIMIT)) return Number.NaN;
  // Not -0.
  return isNegative && units > 0 ? -units : units;
}

function valueAtTime(reading: Measured): ValueAtTime {
  return { order: orderOf(reading), value: reading.modality };
}

/** Whether a reading is strictly before another, mostly told by the milliseconds. */
function comesBefore(one: Measured, other: Measured): boolean {
  if (one.eventTimeMs !== other.eventTimeMs) return one.eventTimeMs < other.eventTimeMs;
  if (one.createdAt !== other.createdAt) {
    const [key, otherKey] = [eventTimeOrderKey(one.createdAt), eventTimeOrderKey(other.createdAt)];
    if (key !== otherKey) return key < otherKey;
  }
  return isBefore(valueAtTime(one), valueAtTime(other));
}
