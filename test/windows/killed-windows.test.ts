import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { environmentOf } from '../../infra/native/settings.ts';
import { bringUp, kill } from '../../infra/native/stack.ts';
import { makePrivateStack, removePrivateStack, type PrivateStack } from '../stack/private-stack.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { makeEnvelope } from '../support/readings.ts';
import { sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { WindowsBed, type WindowFigures } from './windows-bed.ts';

const TOPIC = 'KILLED_WINDOWS';
const AGGREGATES = `${TOPIC}.AGGREGATES`;
const SCHEMA = 'windows';
const PARTITIONS = 3;
const SENSORS = 40;
const READINGS_AT_A_TIME = sized(100, 400);
const LEAST_READINGS = 3_000;
const KILLS = sized(4, 20);
/** What the clock of the readings moves on with each batch: so that many segments and windows end meanwhile. */
const STEP_MS = 20_000;
const HOUR_MS = 3_600_000;
const LENGTHS_MS = { minute: 60_000, hour: HOUR_MS, day: 24 * HOUR_MS };

let stack: PrivateStack;
let feed: KafkaFeed;
let bed: WindowsBed;
let environment: Record<string, string>;
const workers = new Set<WorkerProcess>();

beforeAll(async () => {
  stack = await makePrivateStack();
  await bringUp(['kafka', 'postgres'], stack);
  environment = {
    ...environmentOf(stack),
    SPEED_SINKS: 'windows',
    TOPIC_INGESTION: TOPIC,
    TOPIC_AGGREGATES: AGGREGATES,
    SERVING_SCHEMA: SCHEMA,
    SPEED_METRICS_PORT: '0',
    SINK_RETRY_MAX_DELAY_MS: '1000',
    WINDOW_LATENESS_SECONDS: '60',
    // Small batches, so that kills fall between and into many.
    KAFKA_MAX_BYTES_PER_PARTITION: '16384',
  };
  feed = new KafkaFeed([`localhost:${stack.ports.kafka}`]);
  bed = new WindowsBed(SCHEMA, environment['SERVING_DATABASE_URL']);
  await feed.createTopic(TOPIC, PARTITIONS);
});

afterAll(async () => {
  await Promise.all([...workers].map((worker) => worker.kill()));
  await feed.close();
  await bed.database.close();
  await removePrivateStack(stack);
});

/** Readings of many kinds until it is stopped: out of order, late, sent again, with awkward values, and some that cannot be read. */
async function feedUntil(isStopping: () => boolean): Promise<void> {
  const recent: { key: string; value: string }[] = [];
  let clockMs = Date.now() - 12 * HOUR_MS;
  for (let sent = 0; sent < LEAST_READINGS || !isStopping(); sent += READINGS_AT_A_TIME) {
    clockMs += STEP_MS;
    const messages = Array.from({ length: READINGS_AT_A_TIME }, () => {
      const again = randomInt(20) === 0 ? recent[randomInt(Math.max(1, recent.length))] : undefined;
      return { ...(again ?? randomReading(clockMs)), timestamp: String(clockMs) };
    });
    recent.push(...messages.map(({ key, value }) => ({ key, value })));
    recent.splice(0, recent.length - 2_000);
    await feed.send(TOPIC, messages);
    await delay(50);
  }
}

function randomReading(clockMs: number): { key: string; value: string } {
  const sensorId = String(randomInt(SENSORS));
  if (randomInt(200) === 0) return { key: sensorId, value: 'no envelope' };
  const lateMs = randomInt(15) === 0 ? 26 * HOUR_MS : randomInt(90_000);
  const odd = ['1e20', '-0', '0.000000000000000001', '1.5e3', '99999999999999999999', '12345678901.5', '1e-30'];
  const modality =
    randomInt(10) === 0 ? (odd[randomInt(odd.length)] ?? '') : (randomInt(2_000_000) / 100 - 10_000).toFixed(2);
  const aspect = randomInt(10) === 0 ? 'edge_prediction' : 'real_time';
  const createdAt = ((clockMs - lateMs) / 1_000).toFixed(randomInt(4));
  const unit = randomInt(5) === 0 ? 'kV' : 'MW';
  return { key: sensorId, value: makeEnvelope({ sensorId, modality, aspect, createdAt, unit }) };
}

const envelopeSchema = z.object({ payload: z.string(), correlation_id: z.string() });
const payloadSchema = z.object({ sensor_id: z.number(), unit: z.string(), temporal_aspect: z.string() });

interface Parts {
  readonly values: string[];
  readonly times: string[];
}

/** What the windows have to be, from what lies in Kafka: each id once, the first in its partition. */
function recomputed(records: ReadonlyMap<string, string>): Map<string, WindowFigures> {
  const inOrder = [...records]
    .map(([place, value]) => ({ place: place.split('/').map(Number), value }))
    .sort((a, b) => (a.place[0] ?? 0) - (b.place[0] ?? 0) || (a.place[1] ?? 0) - (b.place[1] ?? 0));
  const seen = new Set<string>();
  const windows = new Map<string, Parts>();
  for (const { value } of inOrder) {
    if (!value.startsWith('{')) continue;
    const envelope = envelopeSchema.parse(JSON.parse(value));
    if (seen.has(envelope.correlation_id)) continue;
    seen.add(envelope.correlation_id);
    const payload = payloadSchema.parse(JSON.parse(envelope.payload));
    // The numbers as they are written, not as JSON.parse understands them.
    const modality = /"modality": ([^,]+),/.exec(envelope.payload)?.[1] ?? '';
    const createdAt = /"created_at":([^,]+),/.exec(value)?.[1] ?? '';
    const [seconds = '', fraction = ''] = createdAt.split('.');
    const order = `${seconds.padStart(12, '0')}${fraction.padEnd(18, '0')} ${envelope.correlation_id}`;
    for (const [resolution, lengthMs] of Object.entries(LENGTHS_MS)) {
      const start = Math.floor((Number(seconds) * 1_000) / lengthMs) * (lengthMs / 1_000);
      const key = [payload.sensor_id, payload.temporal_aspect, payload.unit, resolution, start].join(' ');
      const parts = windows.get(key) ?? { values: [], times: [] };
      windows.set(key, parts);
      parts.values.push(modality);
      parts.times.push(`${order} ${modality}`);
    }
  }
  return new Map([...windows].map(([key, parts]) => [key, figuresOf(parts)]));
}

const SCALE = 10n ** 18n;

/** In units of 10⁻¹⁸, by way of fractions; undefined when it has no such, or too many of them. */
function unitsOf(text: string): bigint | undefined {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text) ?? [];
  const power = Number(exponent) - fraction.length;
  const numerator = BigInt(sign + integer + fraction) * SCALE * 10n ** BigInt(Math.max(0, power));
  const denominator = 10n ** BigInt(Math.max(0, -power));
  if (numerator % denominator !== 0n) return undefined;
  const units = numerator / denominator;
  return units < 10n ** 38n && units > -(10n ** 38n) ? units : undefined;
}

function textOf(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  return units < 0n ? `-${text}` : text;
}

function figuresOf({ values, times }: Parts): WindowFigures {
  const exact = values.map(unitsOf).filter((units) => units !== undefined);
  const sorted = [...exact].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const half = 5n * 10n ** 9n;
  const squarable = exact
    .map((units) => (units < 0n ? (half - units) / 10n ** 10n : (units + half) / 10n ** 10n))
    .filter((rounded) => rounded < 10n ** 18n);
  const inTime = [...times].sort();
  const [min, max] = [sorted[0], sorted.at(-1)];
  return {
    count: values.length,
    inexact: values.length - exact.length,
    unsquared: exact.length - squarable.length,
    sum: textOf(
      exact.reduce((sum, units) => sum + units, 0n),
      18,
    ),
    sumOfSquares: textOf(
      squarable.reduce((sum, rounded) => sum + rounded * rounded, 0n),
      16,
    ),
    min: min === undefined ? null : textOf(min, 18),
    max: max === undefined ? null : textOf(max, 18),
    first: inTime[0] ?? '',
    last: inTime.at(-1) ?? '',
  };
}

const eventSchema = z.object({
  sensor_id: z.string(),
  aspect: z.string(),
  unit: z.string(),
  resolution: z.string(),
  window_start: z.string(),
  state: z.string(),
  revision: z.number(),
  source: z.object({ partition: z.number(), first_offset: z.number(), last_offset: z.number() }),
  aggregate: z.object({ count: z.number(), sum: z.string() }),
});

/** The newest revision of each row as a reader of the topic has it: what it came to in the end. */
async function newestRevisions(): Promise<{ rows: Map<string, string>; contradictions: string[] }> {
  const known = new Map<string, { revision: number; text: string }>();
  const revisions = new Map<string, string>();
  const contradictions: string[] = [];
  for (const value of (await feed.readTopic(AGGREGATES)).values()) {
    const event = eventSchema.parse(JSON.parse(value));
    const {
      sensor_id: sensor,
      aspect,
      unit,
      resolution,
      window_start: start,
      revision,
      state,
      source,
      aggregate,
    } = event;
    const row = [
      sensor,
      aspect,
      unit,
      resolution,
      Date.parse(start) / 1_000,
      source.partition,
      source.first_offset,
    ].join(' ');
    const text = `${revision} ${state} ${aggregate.count} ${aggregate.sum}`;
    if ((revisions.get(`${row} ${revision}`) ?? text) !== text) contradictions.push(`${row} ${text}`);
    revisions.set(`${row} ${revision}`, text);
    if (revision > (known.get(row)?.revision ?? 0)) known.set(row, { revision, text });
  }
  return { rows: new Map([...known].map(([row, { text }]) => [row, text])), contradictions };
}

async function rowsInDatabase(): Promise<Map<string, string>> {
  const rows = await bed.database.query<{ row: string; text: string }>(
    `SELECT concat_ws(' ', sensor_id, aspect, unit, resolution, (extract(epoch FROM window_start))::bigint, partition, segment_first_offset) AS row,
       concat_ws(' ', revision, CASE WHEN is_corrected THEN 'corrected' WHEN is_final THEN 'final' ELSE 'provisional' END,
         reading_count, trim_scale(value_sum)) AS text
     FROM ${SCHEMA}.speed_view`,
  );
  return new Map(rows.map(({ row, text }) => [row, text]));
}

/** The first few entries that differ. */
function differences<T>(
  one: ReadonlyMap<string, T>,
  other: ReadonlyMap<string, T>,
): [string, T | undefined, T | undefined][] {
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((key) => JSON.stringify(one.get(key)) !== JSON.stringify(other.get(key)))
    .slice(0, 5)
    .map((key) => [key, one.get(key), other.get(key)]);
}

it('hold every reading once, to the last digit, whatever is killed, and Kafka has each newest revision', async () => {
  let stopping = false;
  const feeding = feedUntil(() => stopping);
  // Each has a group of its own: so it need not wait for a dead member, and competes with the one that it follows.
  const start = (): WorkerProcess => {
    const worker = new WorkerProcess('npm:worker:speed', {
      ...environment,
      CONSUMER_GROUP_PREFIX: `killed-${workers.size}`,
    });
    workers.add(worker);
    return worker;
  };
  const rowsSoFar = async (): Promise<number> =>
    Number(
      (
        await bed.database.query<{ sum: string }>(
          `SELECT coalesce(sum(change_number), 0) AS sum FROM ${SCHEMA}.speed_position`,
        )
      )[0]?.sum,
    );
  let worker = start();
  for (let round = 0; round < KILLS; round++) {
    const before = await eventually('the windows are there', rowsSoFar);
    await eventually('windows are written', async () => (await rowsSoFar()) > before + 5);
    const next = start();
    // Both own every partition for a while, of which neither knows.
    await eventually('both are at work', () => next.output.includes('partitions assigned'));
    await delay(500 + randomInt(1_500));
    if (round % 2 === 1) {
      kill('postgres', 'SIGKILL', stack);
      await bringUp(['postgres'], stack);
    }
    await worker.kill();
    worker = next;
  }
  stopping = true;
  await feeding;
  const group = `killed-${workers.size - 1}.windows`;
  await eventually('all is read', async () => {
    expect(worker.isRunning, worker.output).toBe(true);
    return (await feed.lag(group, TOPIC)) === 0;
  });

  const records = await feed.readTopic(TOPIC);
  const expected = recomputed(records);
  expect(records.size).toBeGreaterThanOrEqual(LEAST_READINGS);
  expect(differences(await bed.windows(), expected)).toEqual([]);
  const segments = await bed.database.query(`SELECT 1 FROM ${SCHEMA}.speed_segment`);
  expect(segments.length).toBeGreaterThanOrEqual(PARTITIONS);

  await eventually('every newest revision is in Kafka', async () => {
    const { rows, contradictions } = await newestRevisions();
    expect(contradictions).toEqual([]);
    expect(differences(rows, await rowsInDatabase())).toEqual([]);
    return true;
  });
  const states = new Set([...(await rowsInDatabase()).values()].map((text) => text.split(' ')[1]));
  expect([...states]).toEqual(expect.arrayContaining(['corrected', 'final']));
  expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
}, 600_000);
