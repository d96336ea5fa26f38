import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../../grid/reading.ts';
import type { Stores } from '../../stores.ts';
import { apiRoute, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';
import type { Row, Rows } from '../rows.ts';

const MOST_ROWS = 5_000;
const USUAL_ROWS = 500;
const WIDEST_MS = 31 * 86_400_000;
/** Files are looked up for so many readings of a page; those of one partition and time are mostly in one. */
const place = z.tuple([z.string().max(400), z.string().max(500)]);
const RECORD_ID = /^(.{1,249})\+(\d{1,10})\+(\d{1,16})$/s;

const text = z.string();
const readingAnswer = z.object({
  at: text.describe('Event time, ISO 8601, in `zone`'),
  createdAt: text.describe('Event time, epoch seconds'),
  aspect: z.enum(TEMPORAL_ASPECTS).nullable(),
  value: text.nullable(),
  unit: text.nullable(),
  correlationId: text,
  topic: text,
  partition: z.int(),
  offset: z.int(),
  file: text.nullable().describe('The file of the master data in HDFS that has it; null before it is committed there'),
  payload: text.describe('The payload, as it was sent'),
});

/** Raw readings of a sensor, and where each lies. */
export function readingsRoute(
  { documents, masterData }: Pick<Stores, 'documents' | 'masterData'>,
  names: { readonly database: string; readonly topic: string },
): ApiRoute {
  return apiRoute({
    method: 'GET',
    path: '/api/sensors/{sensorId}/readings',
    summary: 'Raw readings of a sensor, with their places in Kafka and HDFS',
    tag: 'sensors',
    params: z.strictObject({ sensorId: ask.sensorId }),
    query: z.strictObject({
      from: ask.moment.default('now-15m'),
      to: ask.moment.default('now'),
      zone: ask.zone,
      format: ask.format.optional(),
      limit: ask.limit(MOST_ROWS, USUAL_ROWS),
      cursor: ask.cursor.optional(),
    }),
    hasRows: true,
    answer: z.object({
      sensorId: text,
      readings: z.array(readingAnswer),
      next: text.nullable(),
      problems: z.array(text),
    }),
    async answerTo({ params: { sensorId }, query }) {
      const nowMs = Date.now();
      const fromMs = ask.momentMs(query.from, query.zone, 'from', nowMs);
      const toMs = ask.momentMs(query.to, query.zone, 'to', nowMs);
      if (toMs < fromMs || toMs - fromMs > WIDEST_MS) {
        throw new GridError(
          'malformed-request',
          'Reading the request: from and to must be at most 31 days apart, from first.',
        );
      }
      const limit = query.limit ?? USUAL_ROWS;
      const problems: string[] = [];
      const page = async (cursor: string | undefined): Promise<Pick<Rows, 'page' | 'next'>> => {
        const at = ask.placeOf(cursor, place);
        if (at !== undefined && !(Number(at[0]) > 0))
          throw new GridError('malformed-request', 'Reading the request: cursor is no place.');
        const found = await documents.readings(names.database, names.topic, {
          sensor: sensorId,
          fromSeconds: fromMs / 1_000,
          toSeconds: toMs / 1_000,
          after: at === undefined ? undefined : { createdAt: at[0], id: at[1] },
          limit,
        });
        const rows: Row[] = [];
        for (const reading of found) {
          const [, topic = '', partition = '', offset = ''] = RECORD_ID.exec(reading.id) ?? [];
          let file: string | undefined;
          if (problems.length === 0) {
            file = await masterData.fileOf(topic, Number(partition), Number(offset)).catch((error: unknown) => {
              if (!(error instanceof GridError) || error.code === 'defect') throw error;
              problems.push(
                `${error.code}: files in HDFS are missing in the answer as long as that lasts. See /readyz.`,
              );
              return undefined;
            });
          }
          const payload = payloadOf(reading.payload);
          const row: z.output<typeof readingAnswer> = {
            at: ask.isoIn(query.zone, Math.floor(Number(reading.createdAt) * 1_000)),
            createdAt: reading.createdAt,
            ...payload,
            correlationId: reading.correlationId,
            ...{ topic, partition: Number(partition), offset: Number(offset), file: file ?? null },
            payload: reading.payload,
          };
          rows.push(row);
        }
        const last = found.at(-1);
        return {
          page: rows,
          next: last === undefined || found.length < limit ? undefined : ask.cursorOf([last.createdAt, last.id]),
        };
      };
      const first = await page(query.cursor);
      return {
        kind: 'rows',
        rows: {
          name: 'readings',
          columns: Object.keys(readingAnswer.shape),
          head: { sensorId, problems },
          ...first,
          following: page,
        },
      };
    },
  });
}

const MODALITY = /"modality"\s{0,20}:\s{0,20}(-?[\d.eE+-]{1,400})/;
const payloadFields = z.object({ unit: z.string().optional(), temporal_aspect: z.enum(TEMPORAL_ASPECTS).optional() });

/** What a payload says; its value with the very digits. */
function payloadOf(payload: string): Pick<z.output<typeof readingAnswer>, 'aspect' | 'value' | 'unit'> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch {
    return { aspect: null, value: null, unit: null };
  }
  const fields = payloadFields.safeParse(parsed);
  return {
    aspect: fields.data?.temporal_aspect ?? null,
    value: MODALITY.exec(payload)?.[1] ?? null,
    unit: fields.data?.unit ?? null,
  };
}
