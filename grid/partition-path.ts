/**
 * Names of HDFS directories from values, as Hive writes partition values: what a file system or Hive gives a meaning to
 * is written as `%` and two hexadecimal digits (Hive's `FileUtils.escapePathName`).
 */
// eslint-disable-next-line no-control-regex -- control characters are what must be escaped
const TO_ESCAPE = /[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^}]/g;

/** One partition value, escaped; the empty value is Hive's name for it. */
export function escapePartitionValue(value: string): string {
  if (value === '') return '__HIVE_DEFAULT_PARTITION__';
  if (value === '.' || value === '..') return value.replaceAll('.', '%2E');
  return value.replace(
    TO_ESCAPE,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
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
