import { z } from 'zod';
import { mergedWindows, type MergedAnswer, type Provenance } from '../../../connectors/postgres/serving/merged-view.ts';
import type { ServingDatabase } from '../../../connectors/postgres/serving/serving-database.ts';
import { RESOLUTIONS, windowLengthMs } from '../../../grid/aggregate/window.ts';
import { GridError } from '../../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../../grid/reading.ts';
import { answeredWindow, passedEventTimeMs, WINDOW_STATES } from '../../merge/answered-window.ts';
import { apiRoute, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';
import type { Row, Rows } from '../rows.ts';

const MOST_ROWS = 10_000;
const USUAL_ROWS = 5_000;
/** Windows that a question may span, whether there are readings in them or not: what the database looks through for it. */
const WIDEST_WINDOWS = 600_000;
const place = z.tuple([z.number(), z.string()]);

const text = z.string();
const time = z.string().describe('ISO 8601, in `zone`');
const windowAnswer = z.object({
  start: time,
  end: time,
  unit: text,
  state: z.enum(WINDOW_STATES).describe('provisional: more may come; corrected: changed after it had been final'),
  part: z.enum(['batch', 'speed', 'both']).describe('Which layer its readings came from'),
  count: z.int(),
  speedCount: z.int().describe('Readings of the speed layer'),
  inexact: z.int().describe('Readings whose value is in no sum'),
  sum: text,
  min: text.nullable(),
  max: text.nullable(),
  mean: text.nullable(),
  sumOfSquares: text,
  first: text,
  last: text,
  weightedMean: text.nullable().describe('Each value counting for as long as it held; of the batch layer alone'),
  energy: text.nullable().describe('Unit × hours; of the batch layer alone'),
  weightingState: z.enum(['provisional', 'final']).describe('provisional: readings of the speed layer are not in it'),
});
export const provenanceAnswer = z.object({
  batch: z.object({ build: text, publishedAt: time }).nullable(),
  boundary: z.array(z.object({ topic: text, partition: z.int(), lastOffset: text })),
  speed: z.array(
    z.object({ topic: text, partition: z.int(), nextOffset: text, watermark: time.nullable(), updatedAt: time }),
  ),
});

/** Windows of a sensor: batch and speed added up. */
export function seriesRoute(database: ServingDatabase): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: '/api/sensors/{sensorId}/series',
    summary: 'Windows of a sensor, batch and speed layer added up, and what they rest on',
    tag: 'sensors',
    params: z.strictObject({ sensorId: ask.sensorId }),
    query: z.strictObject({
      from: ask.moment.default('now-24h').describe('Windows that begin at or after it'),
      to: ask.moment.default('now').describe('Windows that begin before it'),
      resolution: ask.resolution.default('hour'),
      aspect: ask.aspect.default('real_time'),
      unit: ask.unit.optional().describe('Without it every unit that the sensor has'),
      zone: ask.zone,
      format: ask.format.optional(),
      limit: ask.limit(MOST_ROWS, USUAL_ROWS),
      cursor: ask.cursor.optional(),
    }),
    hasRows: true,
    answer: z.object({
      sensorId: text,
      aspect: z.enum(TEMPORAL_ASPECTS),
      resolution: z.enum(RESOLUTIONS),
      zone: text,
      from: time,
      to: time,
      provenance: provenanceAnswer,
      windows: z.array(windowAnswer),
      next: text.nullable(),
    }),
    async answerTo({ params: { sensorId }, query }) {
      const { zone, resolution, aspect, unit } = query;
      const nowMs = Date.now();
      const fromMs = ask.momentMs(query.from, zone, 'from', nowMs);
      const toMs = ask.momentMs(query.to, zone, 'to', nowMs);
      if (toMs < fromMs) throw new GridError('malformed-request', 'Reading the request: to lies before from.');
      if ((toMs - fromMs) / windowLengthMs(resolution) > WIDEST_WINDOWS) {
        throw new GridError(
          'malformed-request',
          `Reading the request: from and to are more than ${WIDEST_WINDOWS} windows apart. Ask for a shorter time, or a longer resolution.`,
        );
      }
      const limit = query.limit ?? USUAL_ROWS;
      const page = async (cursor: string | undefined): Promise<MergedAnswer & Pick<Rows, 'page' | 'next'>> => {
        const at = ask.placeOf(cursor, place);
        const after = at === undefined ? undefined : { startMs: checkedMs(at[0]), unit: at[1].replaceAll('\0', '') };
        const answer = await mergedWindows(database, database.schema, {
          ...{ sensorId, aspect, unit, resolution, fromMs, toMs, after, limit },
        });
        const passedMs = passedEventTimeMs(answer.provenance);
        const last = answer.windows.at(-1);
        return {
          ...answer,
          page: answer.windows.map((window) => rowOf(answeredWindow(window, resolution, passedMs), zone)),
          next:
            last === undefined || answer.windows.length < limit ? undefined : ask.cursorOf([last.startMs, last.unit]),
        };
      };
      const first = await page(query.cursor);
      return {
        kind: 'rows',
        rows: {
          name: 'windows',
          columns: Object.keys(windowAnswer.shape),
          head: {
            ...{ sensorId, aspect, resolution, zone, from: ask.isoIn(zone, fromMs), to: ask.isoIn(zone, toMs) },
            provenance: told(first.provenance, zone),
          },
          page: first.page,
          next: first.next,
          following: page,
        },
      };
    },
  });
}

/** What an answer rests on, for its reader. */
export function told({ build, boundary, speed }: Provenance, zone: string): z.output<typeof provenanceAnswer> {
  return {
    batch: build === undefined ? null : { build: build.id, publishedAt: ask.isoIn(zone, build.publishedMs) },
    boundary: [...boundary],
    speed: speed.map(({ topic, partition, nextOffset, watermarkMs, updatedMs }) => ({
      ...{ topic, partition, nextOffset, updatedAt: ask.isoIn(zone, updatedMs) },
      watermark: watermarkMs === undefined ? null : ask.isoIn(zone, watermarkMs),
    })),
  };
}

function rowOf(window: ReturnType<typeof answeredWindow>, zone: string): Row {
  const row: z.output<typeof windowAnswer> = {
    start: ask.isoIn(zone, window.startMs),
    end: ask.isoIn(zone, window.endMs),
    unit: window.unit,
    state: window.state,
    part: window.part,
    count: window.count,
    speedCount: window.speedCount,
    inexact: window.inexact,
    sum: window.sum,
    min: window.min ?? null,
    max: window.max ?? null,
    mean: window.mean ?? null,
    sumOfSquares: window.sumOfSquares,
    first: window.first,
    last: window.last,
    weightedMean: window.weightedMean ?? null,
    energy: window.energy ?? null,
    weightingState: window.isWeightingProvisional ? 'provisional' : 'final',
  };
  return row;
}

/** A cursor may have been made up. */
function checkedMs(ms: number): number {
  return Number.isInteger(ms) && Math.abs(ms) < 8e15 ? ms : 0;
}
