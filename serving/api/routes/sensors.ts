import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { mergedWindows } from '../../../connectors/postgres/serving/merged-view.ts';
import { knownSensors } from '../../../connectors/postgres/serving/known-series.ts';
import { newestEnvelopes, scanSensors, type NewestEnvelopes } from '../../../connectors/redis/newest-envelopes.ts';
import { asGridError, GridError } from '../../../grid/errors.ts';
import { TEMPORAL_ASPECTS, type Reading, type TemporalAspect } from '../../../grid/reading.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import { cadenceMs, staleness } from '../../merge/cadence.ts';
import type { Stores } from '../../stores.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import { storedReading } from '../newest-value.ts';
import * as ask from '../parameters.ts';

const MOST_SENSORS = 1_000;
const USUAL_SENSORS = 100;
const CADENCE_AGE_MS = 60_000;
const CADENCES = 20_000;
/** What an answer waits for a cadence that is not known yet, and how long it is not asked for when that was too long. */
const CADENCE_LIMIT_MS = 1_000;
const CADENCE_PAUSE_MS = 2_000;
const HOUR_MS = 3_600_000;
/** What the cadence is learnt from: minutes of some hours, else hours of some weeks. */
const LEARNT_FROM = [
  { resolution: 'minute', lengthMs: 60_000, spanMs: 3 * HOUR_MS },
  { resolution: 'hour', lengthMs: HOUR_MS, spanMs: 21 * 24 * HOUR_MS },
] as const;
/** Begins a cursor into the keys of Redis, where there are no views to go by. */
const BY_KEYS = 'keys';
const SCAN_STEPS = 20;

const place = z.union([z.tuple([z.string().max(200)]), z.tuple([z.literal(BY_KEYS), z.string().regex(/^\d{1,20}$/)])]);
const text = z.string();
const newestAnswer = z.object({
  value: text,
  unit: text,
  createdAt: text.describe('Event time, epoch seconds as the source wrote them'),
  at: text.describe('Event time, ISO 8601'),
  ageMs: z.int().describe('Since the event time; negative for what is predicted'),
  correlationId: text,
});
const latestAnswer = newestAnswer.extend({
  envelope: text.describe('The envelope, byte for byte'),
  cadenceMs: z.int().nullable().describe('Mean time between readings of late'),
  state: z.enum(['fresh', 'late', 'stale', 'unknown']),
});
const byAspect = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ real_time: schema.exactOptional(), edge_prediction: schema.exactOptional() });

/** The sensors there are, and the newest values of one. */
export function sensorRoutes({ database, redis }: Pick<Stores, 'database' | 'redis'>): ApiRoute[] {
  const cadences = new LRUCache<string, { readonly ms: number | undefined }>({ max: CADENCES, ttl: CADENCE_AGE_MS });

  let withoutUntilMs = 0;

  async function cadenceOf({ sensorId, aspect, unit, eventTimeMs }: Reading): Promise<number | undefined> {
    const key = JSON.stringify([sensorId, aspect, unit]);
    const known = cadences.get(key);
    if (known !== undefined) return known.ms;
    let ms: number | undefined;
    for (const { resolution, lengthMs, spanMs } of LEARNT_FROM) {
      const { windows } = await mergedWindows(database, database.schema, {
        ...{
          sensorId,
          aspect,
          unit,
          resolution,
          fromMs: eventTimeMs - spanMs,
          toMs: eventTimeMs,
          limit: spanMs / lengthMs,
        },
      });
      ms ??= cadenceMs(windows);
      if (ms !== undefined) break;
    }
    cadences.set(key, { ms });
    return ms;
  }

  /** A newest value waits for no database: the first that does makes the next ones go without. */
  async function inTime(learning: Promise<number | undefined>): Promise<number | undefined> {
    learning.catch(() => undefined);
    if (Date.now() < withoutUntilMs) throw tooSlow();
    try {
      return await within(CADENCE_LIMIT_MS, learning, tooSlow);
    } catch (error) {
      withoutUntilMs = Date.now() + CADENCE_PAUSE_MS;
      throw error;
    }
  }

  const list = apiRoute({
    method: 'GET',
    path: '/api/sensors',
    summary: 'Sensors by id, their series, and their newest values',
    tag: 'sensors',
    query: z.strictObject({ limit: ask.limit(MOST_SENSORS, USUAL_SENSORS), cursor: ask.cursor.optional() }),
    answer: z.object({
      sensors: z.array(
        z.object({
          sensorId: text,
          series: z.array(z.object({ aspect: z.enum(TEMPORAL_ASPECTS), unit: text })),
          newest: byAspect(newestAnswer).nullable(),
        }),
      ),
      from: z
        .enum(['views', 'keys'])
        .describe('views: all with windows, by id. keys: those with a newest value, in no order'),
      next: text.nullable(),
      problems: z.array(text).describe('What is missing in the answer since a store is away'),
    }),
    async answerTo({ query }) {
      const limit = query.limit ?? USUAL_SENSORS;
      const at = ask.placeOf(query.cursor, place);
      const problems: string[] = [];
      const noted = (error: unknown): undefined => {
        const known = asGridError(error, 'Listing the sensors');
        if (known.code === 'defect') throw known;
        problems.push(told(known));
        return undefined;
      };
      const page =
        at?.[0] === BY_KEYS && at.length === 2 ? undefined : await viewPage(at?.[0] ?? '', limit).catch(noted);
      // Without windows there may be newest values all the same.
      const isByKeys = page === undefined || (page.sensors.length === 0 && at === undefined);
      const found = isByKeys ? await keyPage(at?.[1] ?? '0', limit) : page;
      const newest = await newestEnvelopes(
        redis,
        found.sensors.map(({ sensorId }) => sensorId),
      ).catch(noted);
      const nowMs = Date.now();
      return value({
        sensors: found.sensors.map((sensor, index) => {
          const envelopes = newest?.[index];
          return { ...sensor, newest: envelopes === undefined ? null : newestOf(envelopes, nowMs) };
        }),
        from: isByKeys ? 'keys' : 'views',
        next: found.next ?? null,
        problems,
      });
    },
  });

  async function viewPage(after: string, limit: number) {
    const sensors = await knownSensors(database, database.schema, after.replaceAll('\0', ''), limit);
    const last = sensors.at(-1);
    return { sensors, next: last === undefined || sensors.length < limit ? undefined : ask.cursorOf([last.sensorId]) };
  }

  async function keyPage(from: string, limit: number) {
    const ids = new Set<string>();
    let cursor = from;
    // A step brings about as many as were asked for, or few where other keys are many.
    for (let step = 0; step < SCAN_STEPS && ids.size < limit; step++) {
      const found = await scanSensors(redis, cursor, Math.max(10, limit - ids.size));
      for (const id of found.sensorIds) ids.add(id);
      cursor = found.cursor;
      if (cursor === '0') break;
    }
    const sensors = [...ids].map((sensorId) => ({ sensorId, series: [] }));
    return { sensors, next: cursor === '0' ? undefined : ask.cursorOf([BY_KEYS, cursor]) };
  }

  const latest = apiRoute({
    method: 'GET',
    path: '/api/sensors/{sensorId}/latest',
    summary: 'The newest value of each aspect of a sensor, and how old that is for it',
    tag: 'sensors',
    params: z.strictObject({ sensorId: ask.sensorId }),
    answer: z.object({ sensorId: text, aspects: byAspect(latestAnswer), problems: z.array(text) }),
    async answerTo({ params: { sensorId } }) {
      const [envelopes] = await newestEnvelopes(redis, [sensorId]);
      if (envelopes === undefined || envelopes.size === 0) {
        throw new GridError(
          'not-found',
          `Looking for the newest value of sensor ${JSON.stringify(sensorId)}: there is none.`,
        );
      }
      const problems: string[] = [];
      const nowMs = Date.now();
      const aspects: Partial<Record<TemporalAspect, z.output<typeof latestAnswer>>> = {};
      for (const [aspect, envelope] of envelopes) {
        const reading = storedReading(envelope);
        if (reading === undefined) continue;
        let cadence: number | undefined;
        try {
          cadence = await inTime(cadenceOf(reading));
        } catch (error) {
          const known = asGridError(error, 'Learning the cadence');
          if (known.code === 'defect') throw known;
          if (problems.length === 0) problems.push(told(known));
        }
        const newest = newestAnswerOf(reading, nowMs);
        const age = staleness(newest.ageMs, cadence);
        aspects[aspect] = { ...newest, envelope, cadenceMs: age.cadenceMs ?? null, state: age.state };
      }
      return value({ sensorId, aspects, problems });
    },
  });

  return [list, latest];
}

function newestOf(
  envelopes: NewestEnvelopes,
  nowMs: number,
): Partial<Record<TemporalAspect, z.output<typeof newestAnswer>>> {
  const newest: Partial<Record<TemporalAspect, z.output<typeof newestAnswer>>> = {};
  for (const [aspect, envelope] of envelopes) {
    const reading = storedReading(envelope);
    if (reading !== undefined) newest[aspect] = newestAnswerOf(reading, nowMs);
  }
  return newest;
}

function newestAnswerOf(reading: Reading, nowMs: number): z.output<typeof newestAnswer> {
  return {
    value: reading.modality,
    unit: reading.unit,
    createdAt: reading.createdAt,
    at: new Date(reading.eventTimeMs).toISOString(),
    ageMs: nowMs - reading.eventTimeMs,
    correlationId: reading.correlationId,
  };
}

function tooSlow(): GridError {
  return new GridError('serving-database-unavailable', 'Learning the cadence of a sensor: PostgreSQL takes too long.');
}

/** What of an answer is missing, as its reader is told. */
function told({ code }: GridError): string {
  return `${code}: this part of the answer is missing as long as that lasts. See /readyz.`;
}
