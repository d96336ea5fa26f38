import { decimalParts } from '../decimal-text.ts';

/**
 * Decimals that add up exactly: whole numbers of 10⁻¹⁸, as Hive's DECIMAL(38,18) and PostgreSQL's numeric(38,18) hold them, so that
 * both layers add up the same values and come to the same digit.
 */

/** Digits after the decimal point. */
export const EXACT_SCALE = 18;
/** Digits before it. */
export const EXACT_INTEGER_DIGITS = 20;

const SCALE_FACTOR = 10n ** BigInt(EXACT_SCALE);

/**
 * A JSON number's text in units of 10⁻¹⁸; undefined when it has more than 20 digits before the point, or other digits than zeros
 * after the eighteenth behind it: such a value cannot be added up without losing a digit.
 */
export function exactUnits(text: string): bigint | undefined {
  const parts = decimalParts(text);
  if (parts === undefined || parts.integer.length > EXACT_INTEGER_DIGITS) return undefined;
  const kept = parts.fraction.slice(0, EXACT_SCALE);
  for (let at = EXACT_SCALE; at < parts.fraction.length; at++) if (parts.fraction[at] !== '0') return undefined;
  const units = BigInt(parts.integer) * SCALE_FACTOR + BigInt(kept.padEnd(EXACT_SCALE, '0'));
  return parts.negative ? -units : units;
}

/** Units of 10⁻ˢᶜᵃˡᵉ as a plain decimal without needless zeros: 1500000000000000000 → `1.5`, 0 → `0`. */
export function decimalText(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${fraction === '' ? '' : `.${fraction}`}`;
}

/**
 * A plain decimal, as a database writes one, in units of 10⁻ˢᶜᵃˡᵉ.
 *
 * @throws RangeError when it is none, or has digits beyond the scale
 */
export function unitsOf(text: string, scale: number): bigint {
  const match = /^(-?)(\d{1,60})(?:\.(\d{1,60}))?$/.exec(text);
  const [, sign, integer = '', fraction = ''] = match ?? [];
  if (match === null || /[1-9]/.test(fraction.slice(scale))) {
    throw new RangeError(`${text.slice(0, 80)} is no decimal with ${scale} digits behind the point`);
  }
  const units = BigInt(integer + fraction.slice(0, scale).padEnd(scale, '0'));
  return sign === '-' ? -units : units;
}
