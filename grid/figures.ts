/**
 * Figures as people read them, alike wherever they are shown: in Temporal's Web UI, on the command line, by `npm start`. Without `Intl`,
 * since workflows are replayed by other builds of Node.
 */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const UNKNOWN = '–';

/** Digits in groups of three: `1,234,567`. */
export function countText(count: number | undefined): string {
  return count === undefined ? UNKNOWN : String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `812/s`; below 10 with one decimal. */
export function rateText(perSecond: number | undefined): string {
  if (perSecond === undefined) return `${UNKNOWN}/s`;
  return `${perSecond < 9.95 ? perSecond.toFixed(1).replace(/\.0$/, '') : countText(perSecond)}/s`;
}

/** `1 file`, `54 files`. */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** In decimal units: `0 B`, `2.3 MB`, `86 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit] ?? ''}`;
}

/** Hours first: `0:01:23`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** At most so many characters, with an ellipsis for what is cut off. */
export function shortened(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`;
}

/** Text from outside, made fit for a terminal: no control characters, at most so many characters. */
export function shown(text: string, maxCharacters: number): string {
  return shortened(text.replace(/[\p{Cc}\p{Cf}]/gu, '?'), maxCharacters);
}
