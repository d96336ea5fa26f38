const LOCALE = 'en';
const integers = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

const UNKNOWN = '–';

/** `1,234,567`. */
export function countText(count: number | undefined): string {
  return count === undefined ? UNKNOWN : integers.format(count);
}

/** `812/s`; below 10 with one decimal. */
export function rateText(perSecond: number | undefined): string {
  if (perSecond === undefined) return `${UNKNOWN}/s`;
  return `${(perSecond < 10 ? decimals : integers).format(perSecond)}/s`;
}

/** `1 file`, `54 files`. */
export function plural(count: number, noun: string): string {
  return `${integers.format(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Decimal units: `0 B`, `2.3 MB`, `1.2 TB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${(value < 10 && unit > 0 ? decimals : integers).format(value)} ${units[unit] ?? ''}`;
}

/** `0:01:23`, hours first. */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Of today the time to the second, of another day the date and the minute; in the time zone of this machine. */
export function momentText(ms: number, nowMs: number): string {
  if (date.format(ms) === date.format(nowMs)) return clock.format(ms);
  return `${date.format(ms)} ${minute.format(ms)}`;
}

/** Text from outside, made fit for a terminal: no control characters, at most so many characters. */
export function shown(text: string, maxCharacters: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}]/gu, '?');
  return plain.length <= maxCharacters ? plain : `${plain.slice(0, maxCharacters - 1)}…`;
}
