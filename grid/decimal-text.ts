/**
 * Decimal numbers as text. Measured values and event times keep the exact digits that the source wrote; these functions
 * compare and convert them without passing through a binary fraction where that could change a digit.
 */

const JSON_NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Exponents beyond this are no measurement and would only blow up the digits. */
const MAX_EXPONENT = 400;

/** A decimal number taken apart: `digits` with the decimal point before position `point`. */
interface DecimalParts {
  readonly negative: boolean;
  readonly integer: string;
  readonly fraction: string;
}

/** Takes a JSON number apart, its exponent applied; undefined when it is not one or its exponent is absurd. */
export function decimalParts(text: string): DecimalParts | undefined {
  const match = JSON_NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, integer = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const digits = integer + fraction;
  const point = integer.length + exponent;
  const padded = point < 1 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const split = Math.max(point, 1);
  return {
    negative: sign === '-',
    integer: padded.slice(0, split).replace(/^0+(?=\d)/, ''),
    fraction: padded.slice(split),
  };
}

/**
 * Epoch seconds written as a decimal → whole epoch milliseconds, rounded towards the past, digit by digit: 1694902173.122
 * is …122 ms, where multiplying the double by 1,000 may give …121.
 */
export function epochSecondsToMs(text: string): number | undefined {
  const parts = decimalParts(text);
  if (parts === undefined) return undefined;
  const ms = Number(parts.integer) * 1_000 + Number(parts.fraction.slice(0, 3).padEnd(3, '0'));
  if (!parts.negative) return ms;
  return /[1-9]/.test(parts.fraction.slice(3)) ? -ms - 1 : -ms;
}

/** Digits before and after the decimal point in an {@link eventTimeOrderKey}. */
const ORDER_INTEGER_DIGITS = 12;
const ORDER_FRACTION_DIGITS = 18;

/**
 * A positive decimal of epoch seconds as 30 digits that compare as text, in any locale, just as the numbers do (12 digits
 * of seconds, 18 of the fraction: attoseconds; what lies beyond is cut off).
 */
export function eventTimeOrderKey(text: string): string {
  const parts = decimalParts(text);
  if (parts === undefined || parts.negative || parts.integer.length > ORDER_INTEGER_DIGITS) {
    throw new RangeError(`${text} is not a positive number of epoch seconds`);
  }
  return (
    parts.integer.padStart(ORDER_INTEGER_DIGITS, '0') +
    parts.fraction.slice(0, ORDER_FRACTION_DIGITS).padEnd(ORDER_FRACTION_DIGITS, '0')
  );
}

/** Whether a double prints back as the very text: then a store may keep it as a double without losing a digit. */
export function isExactAsDouble(text: string): boolean {
  return String(Number(text)) === text;
}

/**
 * Less than 0, 0 or more than 0 as one decimal is less than, equal to or more than the other, to the last digit. Doubles decide where they differ, since rounding
 * keeps the order; where they do not, digits do.
 *
 * @throws RangeError when one of them is no number, or its exponent is absurd
 */
export function compareDecimals(one: string, other: string): number {
  if (one === other) return 0;
  const [a, b] = [Number(one), Number(other)];
  if (a < b) return -1;
  if (a > b) return 1;
  const scale = Math.max(decimalScale(one), decimalScale(other));
  const [x, y] = [scaledDecimal(one, scale), scaledDecimal(other, scale)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Digits behind the decimal point, once the exponent is applied. @throws RangeError as {@link compareDecimals} */
export function decimalScale(text: string): number {
  return partsOf(text).fraction.length;
}

/** A decimal in units of 10⁻ˢᶜᵃˡᵉ; `scale` is at least its own. @throws RangeError as {@link compareDecimals} */
export function scaledDecimal(text: string, scale: number): bigint {
  const { negative, integer, fraction } = partsOf(text);
  const units = BigInt(integer + fraction.padEnd(scale, '0'));
  return negative ? -units : units;
}

function partsOf(text: string): DecimalParts {
  const parts = decimalParts(text);
  if (parts === undefined) throw new RangeError(`${text.slice(0, 80)} is no decimal number`);
  return parts;
}
