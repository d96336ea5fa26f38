import { z } from 'zod';

const integer = z.string().regex(/^-?\d{1,60}$/);

/** What the readings of a day come to, exactly; sums are integers as text. */
export const dayFigures = z.object({
  readings: z.int().nonnegative(),
  /** Of the values that DECIMAL(38,18) holds, in units of 10⁻¹⁸. */
  sum: integer,
  /** Sum of a checksum of each row. */
  checksum: integer,
});
export type DayFigures = z.output<typeof dayFigures>;

export const NO_FIGURES: DayFigures = { readings: 0, sum: '0', checksum: '0' };

const UNITS = 10n ** 18n;

/** Figures from a row of `FIGURES_SQL`; sums of no value are NULL. */
export function figuresOf([readings, whole, fraction, checksum]: readonly (string | null | undefined)[]): DayFigures {
  return {
    readings: Number(readings),
    sum: String(BigInt(whole ?? 0) * UNITS + BigInt(fraction ?? 0)),
    checksum: String(BigInt(checksum ?? 0)),
  };
}

export function addFigures(one: DayFigures, other: DayFigures): DayFigures {
  return {
    readings: one.readings + other.readings,
    sum: String(BigInt(one.sum) + BigInt(other.sum)),
    checksum: String(BigInt(one.checksum) + BigInt(other.checksum)),
  };
}

export function areEqual(one: DayFigures, other: DayFigures): boolean {
  return one.readings === other.readings && one.sum === other.sum && one.checksum === other.checksum;
}

/** `12.5`, of a sum in units of 10⁻¹⁸. */
export function sumText(sum: string): string {
  const units = BigInt(sum);
  const magnitude = units < 0n ? -units : units;
  const fraction = String(magnitude % UNITS)
    .padStart(18, '0')
    .replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${magnitude / UNITS}${fraction === '' ? '' : `.${fraction}`}`;
}
