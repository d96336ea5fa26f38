// @ts-check

/** Between a number and its unit, and between groups of digits: narrow, and no line ends there. */
export const NARROW = '\u202f';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * A decimal as it is read at a glance: five significant digits or so. The exact text belongs beside it, as a title.
 *
 * @param {string | number | null | undefined} decimal
 */
export function figure(decimal) {
  if (decimal === null || decimal === undefined || decimal === '') return '–';
  const number = Number(decimal);
  if (!Number.isFinite(number)) return String(decimal);
  const size = Math.abs(number);
  if (size === 0) return '0';
  if (size >= 1e9 || size < 1e-3) return number.toExponential(2).replace('e', '·10^').replace('^+', '^');
  const digits = size >= 10_000 ? 0 : size >= 1_000 ? 1 : size >= 100 ? 2 : size >= 1 ? 3 : 4;
  return grouped(number.toFixed(digits));
}

/**
 * Whole numbers, with their digits in groups.
 *
 * @param {number | string | null | undefined} count
 */
export function whole(count) {
  return count === null || count === undefined ? '–' : grouped(String(count));
}

/** @param {number | null | undefined} perSecond */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return '–';
  return `${perSecond >= 100 ? whole(Math.round(perSecond)) : perSecond.toFixed(1)}${NARROW}/s`;
}

/**
 * A length of time in its two largest units.
 *
 * @param {number | null | undefined} ms
 * @returns {string}
 */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < SECOND_MS) return `${Math.round(ms)}${NARROW}ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)}${NARROW}s`;
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 60) return `${seconds}${NARROW}s`;
  if (ms < HOUR_MS) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(ms / MINUTE_MS);
  if (ms < DAY_MS) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(ms / HOUR_MS);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * How old something is, in whole seconds: what is younger than one is not worth the flicker.
 *
 * @param {number | null | undefined} ms
 */
export function age(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  return ms < SECOND_MS ? `<${NARROW}1${NARROW}s` : duration(Math.floor(ms / SECOND_MS) * SECOND_MS).replace('.0', '');
}

/** @param {number | null | undefined} count */
export function bytes(count) {
  if (count === null || count === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = count;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)}${NARROW}${units[unit] ?? ''}`;
}

/** @type {'UTC' | undefined} */
let zone = 'UTC';

/** @param {boolean} isUtc false: the clock of whoever looks */
export function useUtc(isUtc) {
  zone = isUtc ? 'UTC' : undefined;
  formats.clear();
}

/** The zone of all times that are shown. */
export function zoneName() {
  return zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} name
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} [language] Swedish clocks and dates read as ISO 8601 does
 */
function formatOf(name, options, language = 'sv-SE') {
  let format = formats.get(name);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(language, zone === undefined ? options : { ...options, timeZone: zone });
    formats.set(name, format);
  }
  return format;
}

/**
 * `2026-03-01 12:00:05`
 *
 * @param {number | string | null | undefined} moment epoch ms, or ISO 8601
 */
export function dateTime(moment) {
  const date = dateOf(moment);
  return date === undefined ? '–' : formatOf('date-time', { dateStyle: 'short', timeStyle: 'medium' }).format(date);
}

/**
 * `12:00:05`
 *
 * @param {number | string | null | undefined} moment epoch ms, or ISO 8601
 */
export function clock(moment) {
  const date = dateOf(moment);
  return date === undefined ? '–' : formatOf('clock', { timeStyle: 'medium' }).format(date);
}

/**
 * What an axis is marked with: the day where it begins, else hours and minutes, or seconds where marks are that close.
 *
 * @param {number} ms epoch ms
 * @param {number} stepMs between two marks
 */
export function tick(ms, stepMs) {
  if (stepMs >= DAY_MS) return dayFormat().format(ms);
  const time = formatOf('minute', { hour: '2-digit', minute: '2-digit' }).format(ms);
  if (stepMs < MINUTE_MS) return clock(ms);
  return time === '00:00' ? dayFormat().format(ms) : time;
}

function dayFormat() {
  return formatOf('day', { month: 'short', day: 'numeric' }, 'en-GB');
}

/** @param {number | string | null | undefined} moment */
function dateOf(moment) {
  if (moment === null || moment === undefined) return undefined;
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/**
 * @param {number} large
 * @param {string} largeUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function two(large, largeUnit, small, smallUnit) {
  const first = `${large}${NARROW}${largeUnit}`;
  return small === 0 ? first : `${first} ${small}${NARROW}${smallUnit}`;
}

/** @param {string} number */
function grouped(number) {
  const [before = '', after] = number.replace('-', '').split('.');
  const parts = [];
  for (let end = before.length; end > 0; end -= 3) parts.unshift(before.slice(Math.max(0, end - 3), end));
  return `${number.startsWith('-') ? '−' : ''}${parts.join(NARROW)}${after === undefined ? '' : `.${after}`}`;
}
