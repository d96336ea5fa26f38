/**
 * Times of day as grid operators write them. The rules are the same wherever text becomes a moment: files and polled replies here, and the
 * views of telemetry tables in SQL.
 *
 * - `00:00:00` to `23:59:59` as they are.
 * - `24:00`, also `24:00:00` with a fraction of zeros, is the end of a day: 00:00 of the next. Nothing else begins with 24.
 * - `2A:00` and `2B:00` tell the hour that occurs twice when clocks are set back: A is the first, in daylight time, B the second, in
 *   standard time. Any hour may have the letter; where its time was not twice that day, it is refused.
 * - The leap second `23:59:60` is refused: epoch time has no place for it, and its neighbour's would make one moment of two.
 * - Everything else, such as `25:10` and `10:61`, is refused.
 */
export type ClockTime =
  | {
      readonly ok: true;
      /** Seconds after the beginning of the day, by the clock: 0 to 86,400. */
      readonly secondsOfDay: number;
      /** Which one, of a time that occurs twice; undefined: it does not say. */
      readonly half: 'A' | 'B' | undefined;
    }
  | { readonly ok: false; readonly fault: 'no-such-time' | 'leap-second' };

/** A regular expression's source for an hour: one or two digits, and perhaps the letter of a double hour. */
export const HOUR_PATTERN = String.raw`\d{1,2}[ABab]?`;
const HOUR = /^(\d{1,2})([ABab])?$/;
const NO_SUCH_TIME: ClockTime = { ok: false, fault: 'no-such-time' };

/**
 * What a time of day means, by the rules of {@link ClockTime}.
 *
 * @param hour as it is written: `02`, `2A`
 * @param fraction digits of a fraction of a second
 */
export function clockTime(hour: string, minute: number, second: number, fraction: string): ClockTime {
  const match = HOUR.exec(hour);
  if (match === null) return NO_SUCH_TIME;
  const hours = Number(match[1]);
  const letter = match[2]?.toUpperCase();
  const half = letter === 'A' || letter === 'B' ? letter : undefined;
  if (hours === 23 && minute === 59 && second === 60) return { ok: false, fault: 'leap-second' };
  const isEndOfDay = hours === 24 && minute === 0 && second === 0 && !/[1-9]/.test(fraction) && half === undefined;
  if ((hours > 23 && !isEndOfDay) || minute > 59 || second > 59) return NO_SUCH_TIME;
  return { ok: true, secondsOfDay: (hours * 60 + minute) * 60 + second, half };
}

/**
 * The beginning of a day as if it were UTC, epoch milliseconds; undefined when the calendar has no such day.
 *
 * @param year with all its digits: 99 is not 1999
 */
export function dayMs(year: number, month: number, day: number): number | undefined {
  const ms = Date.UTC(year, month - 1, day);
  const back = new Date(ms);
  // Date.UTC takes 31 February for 2 March, and 99 for 1999.
  const isSame = back.getUTCFullYear() === year && back.getUTCMonth() === month - 1 && back.getUTCDate() === day;
  return isSame ? ms : undefined;
}
