import { z } from 'zod';
import { RESOLUTIONS } from '../../grid/aggregate/window.ts';
import { GridError } from '../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../grid/reading.ts';
import { isTimeZone, TimeZone } from '../../grid/time-zone.ts';
import { FORMATS } from './rows.ts';

/** What no store can hold in a text: NUL, other control characters, halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const printable = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => !UNPRINTABLE.test(text), 'has a character that cannot be printed');

export const sensorId = printable(128).min(1).describe('Sensor id, such as 6');
export const unit = printable(128).describe('Unit, such as MW');
export const aspect = z.enum(TEMPORAL_ASPECTS);
export const resolution = z.enum(RESOLUTIONS).describe('Length of a window');
export const format = z.enum(FORMATS).describe('Format of the answer; wins over the header Accept');
export const cursor = z
  .string()
  .max(1_000)
  .regex(/^[\w-]*$/)
  .describe('Where to go on: `next` of the answer before');
export const moment = z
  .string()
  .min(1)
  .max(64)
  .describe('ISO 8601: with an offset or Z, or without (in `zone`); a date; `now`, or `now-90m`, `now-24h`, `now-30d`');
export const zone = z
  .string()
  .min(1)
  .max(64)
  .refine(isTimeZone, 'is no time zone: an IANA name such as Europe/Berlin, or an offset such as +01:00')
  .default('UTC')
  .describe('Zone of times without an offset, and of the times in the answer; windows are of the UTC clock');

/** How many rows a page has at most; a whole number, as it comes in a query. */
export function limit(most: number, usual: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .refine((count) => count >= 1 && count <= most, `must lie between 1 and ${most}`)
    .optional()
    .describe(`Rows at most, 1 to ${most}; without it ${usual}, as CSV and NDJSON all of them`);
}

const RELATIVE = /^now(?:-(\d{1,6})([smhd]))?$/;
const LENGTHS_MS: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

/**
 * What a moment in a query means, epoch ms. A local time that a zone's clocks show twice is the first of the two; one that they leave out is when
 * they jump over it.
 *
 * @throws GridError `malformed-request`
 */
export function momentMs(text: string, zoneName: string, name: string, nowMs = Date.now()): number {
  const relative = RELATIVE.exec(text);
  if (relative !== null) return nowMs - Number(relative[1] ?? 0) * (LENGTHS_MS.get(relative[2] ?? '') ?? 0);
  const match = ISO.exec(text);
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', offset] = match ?? [];
  const localMs = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`,
  );
  const isReal = match !== null && !Number.isNaN(localMs) && new Date(localMs).getUTCDate() === Number(day);
  const ms = isReal ? utcOf(localMs, offset, zoneName) : Number.NaN;
  if (ms >= EARLIEST_MS && ms < LATEST_MS) return ms;
  throw new GridError(
    'malformed-request',
    `Reading the request: ${name} is no time such as 2026-03-01T12:00:00Z, 2026-03-01T12:00 with zone=Europe/Berlin, 2026-03-01 or now-24h, from 1900 to 2199.`,
  );
}

function utcOf(localMs: number, offset: string | undefined, zoneName: string): number {
  if (offset === 'Z') return localMs;
  const name = offset === undefined ? zoneName : offset.replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2');
  if (!isTimeZone(name)) return Number.NaN;
  const zone = zoneOf(name);
  return zone.moments(localMs)[0] ?? localMs - zone.offsetMs(localMs);
}

const MOST_ZONES = 600;
const zones = new Map<string, TimeZone>();

/** Zones remember what they have looked up. */
function zoneOf(name: string): TimeZone {
  let zone = zones.get(name);
  if (zone === undefined) {
    if (zones.size >= MOST_ZONES) zones.clear();
    zone = new TimeZone(name);
    zones.set(name, zone);
  }
  return zone;
}

/** A moment as ISO 8601 by the clocks of a zone, with its offset: `2026-03-01T13:00:00.000+01:00`. */
export function isoIn(zoneName: string, epochMs: number): string {
  if (zoneName === 'UTC') return new Date(epochMs).toISOString();
  const offsetMs = zoneOf(zoneName).offsetMs(epochMs);
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  const two = (part: number): string => String(part).padStart(2, '0');
  const local = new Date(epochMs + (offsetMs < 0 ? -minutes : minutes) * 60_000).toISOString().slice(0, -1);
  return `${local}${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** A cursor holds what the next page needs to know, as it was made here. */
export function cursorOf(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws GridError `malformed-request` for a cursor that was not made here */
export function placeOf<Schema extends z.ZodType>(
  text: string | undefined,
  schema: Schema,
): z.output<Schema> | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (error) {
    throw new GridError(
      'malformed-request',
      'Reading the request: cursor is not the `next` of an earlier answer to the same question. Ask again without it.',
      { cause: error },
    );
  }
}
