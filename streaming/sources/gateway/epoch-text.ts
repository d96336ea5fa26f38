/** Decimal places by which an integer timestamp of each unit is finer than a second. */
export const EPOCH_UNIT_DIGITS = { s: 0, ms: 3, us: 6, ns: 9 } as const;
export type EpochUnit = keyof typeof EPOCH_UNIT_DIGITS;

/**
 * An integer count since 1970 → epoch seconds as JSON number text, digit by digit, so that nanoseconds survive:
 * `1694902173122458000` ns → `1694902173.122458`. Zeros at the end of the fraction are left out, so that a time is written
 * the same way whichever unit it came in.
 *
 * @param integer decimal digits, perhaps with a sign.
 */
export function epochSecondsText(integer: string, unit: EpochUnit): string {
  const digits = EPOCH_UNIT_DIGITS[unit];
  const negative = integer.startsWith('-');
  const magnitude = integer
    .replace(/^[+-]/, '')
    .replace(/^0+(?=\d)/, '')
    .padStart(digits + 1, '0');
  const seconds = magnitude.slice(0, magnitude.length - digits);
  const fraction = magnitude.slice(magnitude.length - digits).replace(/0+$/, '');
  const text = fraction === '' ? seconds : `${seconds}.${fraction}`;
  return negative && /[1-9]/.test(text) ? `-${text}` : text;
}
