import { z } from 'zod';
import type { ConsumedRecord } from '../../../connectors/kafka/consume/consumed.ts';
import { decodeEnvelope } from '../../../grid/envelope.ts';
import { GridError } from '../../../grid/errors.ts';
import type { Stores } from '../../stores.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';

const MOST = 200;
const USUAL = 50;
const WAIT_MS = 500;
const BYTES = 1 << 20;
/** What of a value is shown; the whole is in Kafka. */
const SHOWN_BYTES = 16_384;
/** Fetches for one page: where most offsets hold no record, it is shorter. */
const MOST_FETCHES = 30;
const place = z.tuple([z.int().min(0).max(1_000_000), z.int().min(0).max(Number.MAX_SAFE_INTEGER)]);

const text = z.string();
const letterAnswer = z.object({
  partition: z.int(),
  offset: z.int(),
  at: text.describe('When it was set aside, ISO 8601'),
  code: text.nullable(),
  detail: text.nullable(),
  source: z.object({ topic: text, partition: text, offset: text }).nullable(),
  key: text.nullable(),
  text: text.nullable().describe('The original value where it is UTF-8, else null'),
  base64: text.describe('The original bytes, the first 16 KiB'),
  bytes: z.int().describe('How many there are'),
});

export interface DeadLetterOptions {
  readonly stores: Pick<Stores, 'log' | 'producer'>;
  readonly topic: string;
  readonly readings: string;
  readonly limits: { readonly maxBytes: number; readonly maxAheadMs: number };
}

/** Records that could not be read: why, and their very bytes; and taking one in again after it was put right. */
export function deadLetterRoutes({
  stores: { log, producer },
  topic,
  readings,
  limits,
}: DeadLetterOptions): ApiRoute[] {
  /** Records from an offset on, up to an end. */
  async function recordsFrom(partition: number, from: number, end: number, most: number): Promise<ConsumedRecord[]> {
    const records: ConsumedRecord[] = [];
    let offset = from;
    for (let fetches = 0; offset < end && records.length < most && fetches < MOST_FETCHES; fetches++) {
      const [part] = await log.read([{ topic, partition, offset }], WAIT_MS, BYTES);
      if (part === undefined) break;
      records.push(...part.records.filter((record) => record.offset < end));
      offset = part.nextOffset;
    }
    return records.slice(0, most);
  }

  const list = apiRoute({
    method: 'GET',
    path: '/api/dlq',
    summary: 'Records that could not be read: of a partition the newest, or those before a cursor',
    tag: 'dead letters',
    query: z.strictObject({
      partition: z
        .string()
        .regex(/^\d{1,6}$/, 'must be a whole number')
        .transform(Number)
        .optional()
        .describe('Without it all'),
      limit: ask.limit(MOST, USUAL),
      cursor: ask.cursor.optional(),
    }),
    answer: z.object({
      partitions: z.array(z.object({ partition: z.int(), low: z.int(), high: z.int() })),
      letters: z.array(letterAnswer),
      next: text.nullable(),
    }),
    async answerTo({ query }) {
      const limit = query.limit ?? USUAL;
      const at = ask.placeOf(query.cursor, place);
      const bounds = await log.boundsOf(topic);
      // By partitions, from the highest; in each from the newest. A page lies within one.
      const wanted = bounds
        .filter(({ partition }) => query.partition === undefined || partition === query.partition)
        .filter(({ partition }) => at === undefined || partition <= at[0])
        .sort((a, b) => b.partition - a.partition);
      for (const { partition, low, high } of wanted) {
        let end = at?.[0] === partition ? Math.min(high, at[1]) : high;
        while (end > low) {
          // Control records take offsets too: twice as many offsets hold enough records, as a rule.
          const from = Math.max(low, end - 2 * limit);
          const records = await recordsFrom(partition, from, end, 2 * limit);
          const page = records.slice(-limit).reverse();
          const last = page.at(-1)?.offset ?? from;
          if (page.length > 0) {
            const isEnd = records.length <= limit && from === low;
            const more = !isEnd || wanted.some((other) => other.partition < partition && other.high > other.low);
            return value({
              partitions: bounds,
              letters: page.map((record) => letterOf(partition, record)),
              next: more ? ask.cursorOf([partition, isEnd ? low : last]) : null,
            });
          }
          end = from;
        }
      }
      return value({ partitions: bounds, letters: [], next: null });
    },
  });

  const again = apiRoute({
    method: 'POST',
    path: '/api/dlq/{partition}/{offset}/reingest',
    summary:
      'Take a dead letter in again, after it was put right: the envelope that is sent becomes a new record of the readings',
    tag: 'dead letters',
    role: 'ingest',
    params: z.strictObject({
      partition: z.string().regex(/^\d{1,6}$/),
      offset: z.string().regex(/^\d{1,15}$/),
    }),
    body: z.strictObject({
      envelope: z
        .string()
        .max(4 << 20)
        .describe('The envelope as JSON text, put right'),
    }),
    answer: z.object({ topic: text, sensorId: text, correlationId: text }),
    async answerTo({ params, body: { envelope }, target }) {
      const partition = Number(params.partition);
      const offset = Number(params.offset);
      target(`${topic}/${partition}/${offset}`);
      const bounds = (await log.boundsOf(topic)).find((entry) => entry.partition === partition);
      const isThere = bounds !== undefined && offset >= bounds.low && offset < bounds.high;
      const [letter] = isThere ? await recordsFrom(partition, offset, offset + 1, 1) : [];
      if (letter === undefined)
        throw new GridError('not-found', `Taking in dead letter ${partition}/${offset}: there is none.`);
      const bytes = Buffer.from(envelope, 'utf8');
      const decoded = decodeEnvelope(bytes, Date.now(), limits);
      if (!decoded.ok) {
        const { code, message } = decoded.rejection;
        throw new GridError(code, `Taking in dead letter ${partition}/${offset}: ${message} Nothing was taken in.`);
      }
      const { sensorId, correlationId } = decoded.reading;
      await producer.send(readings, [
        { key: sensorId, value: bytes, headers: { 'reingested-from': `${topic}/${partition}/${offset}` } },
      ]);
      return value({ topic: readings, sensorId, correlationId }, 202);
    },
  });

  return [list, again];
}

function letterOf(
  partition: number,
  { offset, timestampMs, key, value: bytes, headers }: ConsumedRecord,
): z.output<typeof letterAnswer> {
  const header = (name: string): string | null => {
    const held = Object.hasOwn(headers, name) ? headers[name] : undefined;
    const first = Array.isArray(held) ? held[0] : held;
    return first === undefined ? null : first.toString('utf8').slice(0, 2_000);
  };
  const shown = (bytes ?? Buffer.alloc(0)).subarray(0, SHOWN_BYTES);
  const source = {
    topic: header('source-topic'),
    partition: header('source-partition'),
    offset: header('source-offset'),
  };
  const { topic, partition: sourcePartition, offset: sourceOffset } = source;
  return {
    ...{ partition, offset, at: new Date(timestampMs).toISOString() },
    code: header('error-code'),
    detail: header('error-detail'),
    source:
      topic === null || sourcePartition === null || sourceOffset === null
        ? null
        : { topic, partition: sourcePartition, offset: sourceOffset },
    key: key?.toString('utf8').slice(0, 1_000) ?? null,
    text: bytes !== null && bytes.length <= SHOWN_BYTES && isText(bytes) ? bytes.toString('utf8') : null,
    base64: shown.toString('base64'),
    bytes: bytes?.length ?? 0,
  };
}

function isText(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
