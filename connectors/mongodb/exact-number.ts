import { Decimal128, Double } from 'mongodb';
import { isExactAsDouble } from '../../grid/decimal-text.ts';

/**
 * A JSON number as a BSON value that keeps it exactly: a number (double, or int32 for small whole ones, as the driver
 * chooses) when that prints back as the same text, else Decimal128 (34 digits), else the text. All but the text compare
 * and sort as numbers in MongoDB, across the types.
 */
export function exactNumber(text: string): number | Decimal128 | string {
  if (isExactAsDouble(text)) return Number(text);
  try {
    // Throws when digits would be rounded off or the exponent does not fit.
    return Decimal128.fromString(text);
  } catch {
    return text;
  }
}

/** {@link exactNumber}, but whole numbers are doubles too: for a field that has fractions as a rule. */
export function exactFraction(text: string): Double | Decimal128 | string {
  const exact = exactNumber(text);
  return typeof exact === 'number' ? new Double(exact) : exact;
}
