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
