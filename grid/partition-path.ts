import { createHash } from 'node:crypto';

/**
 * Names of HDFS directories from values, as Hive writes partition values: what a file system or Hive gives a meaning to
 * is written as `%` and two hexadecimal digits (Hive's `FileUtils.escapePathName`). Half a surrogate pair, which UTF-8 cannot express,
 * is written as `%u` and four. Different values have different names.
 */
// eslint-disable-next-line no-control-regex -- control characters are what must be escaped
const TO_ESCAPE = /[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^}]|\p{Cs}/gu;

/** Hive's name for the empty value. */
const EMPTY_VALUE = '__HIVE_DEFAULT_PARTITION__';

/** One partition value, escaped; the empty value is Hive's name for it. */
export function escapePartitionValue(value: string): string {
  if (value === '') return EMPTY_VALUE;
  if (value === '.' || value === '..') return value.replaceAll('.', '%2E');
  // Both underscores, since a segment's first is escaped in any case.
  if (value === EMPTY_VALUE) return value.replace('__', '%5F%5F');
  return value.replace(TO_ESCAPE, escape);
}

function escape(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16).toUpperCase();
  return code < 256 ? `%${hex.padStart(2, '0')}` : `%u${hex}`;
}

function escapeFirst(text: string): string {
  return escape(text.charAt(0)) + text.slice(1);
}

/** HDFS allows 255 bytes of UTF-8 in a name (`dfs.namenode.fs-limits.max-component-length`). */
export const SEGMENT_MAX_BYTES = 255;
/** So many UTF-16 units never have more bytes than that. */
const SURELY_SHORT = SEGMENT_MAX_BYTES / 3;
/** Between the beginning of a name that was too long and the digest of the whole; no escaped value or template can hold it. */
const SHORTENED = '%~';
/** 128 bits of SHA-256. */
const DIGEST_DIGITS = 32;

/**
 * The name of a directory of data, from the text of its segment (literals, and values escaped by {@link escapePartitionValue}):
 *
 * - A first `_` or `.` is escaped: every Hadoop reader passes over names that begin so, and `_commits` is the commit log's.
 * - What has more than 255 bytes keeps its beginning, then `%~` and 32 hexadecimal digits of the SHA-256 of the whole.
 *
 * Different texts have different names, and the same text always has the same one.
 */
export function partitionSegment(text: string): string {
  const first = text.charCodeAt(0);
  const visible = first === UNDERSCORE || first === DOT ? escapeFirst(text) : text;
  if (visible.length <= SURELY_SHORT || Buffer.byteLength(visible) <= SEGMENT_MAX_BYTES) return visible;
  const digest = createHash('sha256').update(visible).digest('hex').slice(0, DIGEST_DIGITS);
  return beginning(visible, SEGMENT_MAX_BYTES - SHORTENED.length - DIGEST_DIGITS) + SHORTENED + digest;
}

const UNDERSCORE = 0x5f;
const DOT = 0x2e;

/** The beginning of `text`, at most `maxBytes` of UTF-8, cut neither within a character nor within an escape. */
function beginning(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  let end = maxBytes;
  // A byte 10xxxxxx goes on with a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end).replace(/%(?:u[0-9A-F]{0,3}|[0-9A-F]?)$/, '');
}

const MS_PER_DAY = 86_400_000;

/** Event day in UTC, `YYYY-MM-DD`. */
export function eventDay(eventTimeMs: number): string {
  const day = Math.floor(eventTimeMs / MS_PER_DAY);
  if (day !== lastDay.day) lastDay = { day, text: new Date(day * MS_PER_DAY).toISOString().slice(0, 10) };
  return lastDay.text;
}

/** Neighbouring readings mostly share their day, and formatting a date costs more than all else per reading. */
let lastDay = { day: 0, text: '1970-01-01' };
