import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ConsumedBatch, PartitionContext } from '../../connectors/kafka/consume/consumed.ts';
import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { SpeedView } from '../../connectors/postgres/serving/speed-view.ts';
import { RESOLUTIONS } from '../../grid/aggregate/window.ts';
import type { GridError } from '../../grid/errors.ts';
import { SEGMENT_LENGTH_MS } from '../../grid/segment.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createWindowsMetrics } from '../../streaming/sinks/windows/windows-metrics.ts';
import { WindowsPartition, type WindowsPartitionOptions } from '../../streaming/sinks/windows/windows-partition.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics } from '../support/kafka-topics.ts';
import { batchOf, contextOf, LIMITS, routesOf, SILENT } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { WindowsBed } from './windows-bed.ts';

const config = loadConfig();
const bed = new WindowsBed('test_windows_partition');
const topics = new KafkaTopics(config.KAFKA_BROKERS);
const aggregates = topics.name('AGGREGATES');
const producer = new KafkaProducer({
  brokers: config.KAFKA_BROKERS,
  clientId: 'test',
  logger: SILENT,
  queueBytes: 16 << 20,
});
const open = new Set<WindowsPartition>();
/** A minute of long ago, so that windows of tests lie far behind the clock. */
const START_MS = Date.parse('2024-03-01T12:00:00Z');
const LATENESS_MS = 30_000;

beforeAll(async () => {
  await bed.makeSchema();
  await topics.create(aggregates, 1);
});
afterEach(async () => {
  for (const partition of open) await partition.close({ kind: 'revoked' });
  open.clear();
});
afterAll(async () => {
  await producer.close(5_000);
  await topics.remove();
  await bed.close();
});

let made = 0;
const newTopic = () => `WINDOWS_${++made}`;

interface Made {
  readonly partition: WindowsPartition;
  readonly failures: GridError[];
  readonly counts: () => Promise<Record<string, number>>;
}

function make(topic: string, options: Partial<WindowsPartitionOptions> = {}): Made {
  const failures: GridError[] = [];
  const context: PartitionContext = {
    ...contextOf('test', topic),
    fail(error) {
      failures.push(error);
    },
  };
  const metrics = createMetrics('test');
  const partition = new WindowsPartition(context, {
    view: new SpeedView(bed.database),
    whenReady: () => Promise.resolve(),
    producer,
    aggregatesTopic: aggregates,
    resolutions: RESOLUTIONS,
    duplicateOffsets: 100,
    latenessMs: LATENESS_MS,
    // Long: the clock moves nothing on but where a test is about that.
    idleMs: 3_600_000,
    logger: SILENT,
    routes: routesOf({ routes: [{ name: 'off', match: { sensorIds: [9] }, sinks: { windows: false } }] }),
    limits: { ...LIMITS, stored: true },
    metrics: createWindowsMetrics(metrics, () => []),
    onPosition: () => undefined,
    onTrouble: () => undefined,
    ...options,
  });
  open.add(partition);
  return {
    partition,
    failures,
    counts: async () => {
      const counter = await metrics.getSingleMetric('powergrid_windows_records_total')?.get();
      return Object.fromEntries((counter?.values ?? []).map(({ labels, value }) => [String(labels['outcome']), value]));
    },
  };
}

/** A reading of sensor 6, so many seconds after the start. */
const at = (seconds: number, modality = '1.5', correlationId: string = randomUUID()): string =>
  makeEnvelope({ modality, correlationId, createdAt: String(START_MS / 1_000 + seconds) });

async function windowsOf(topic: string): Promise<Record<string, [number, string]>> {
  const rows = await bed.database.query<{ key: string; count: number; sum: string }>(
    `SELECT resolution || ' ' || ((extract(epoch FROM window_start) * 1000 - ${START_MS}) / 60000)::bigint AS key,
       sum(reading_count)::float8 AS count, trim_scale(sum(value_sum))::text AS sum
     FROM ${bed.schema}.speed_view WHERE topic = $1 AND window_start >= '2024-03-01T12:00:00Z' GROUP BY 1`,
    [topic],
  );
  return Object.fromEntries(rows.map(({ key, count, sum }) => [key, [count, sum]]));
}

const eventSchema = z.object({
  sensor_id: z.string(),
  resolution: z.string(),
  window_start: z.string(),
  state: z.enum(['provisional', 'final', 'corrected']),
  revision: z.number(),
  source: z.object({ topic: z.string(), first_offset: z.number(), last_offset: z.number() }),
  aggregate: z.object({ count: z.number(), sum: z.string(), first: z.unknown(), last: z.unknown() }),
});

/** What was published of a topic's minutes and so on, in order. */
async function published(topic: string) {
  const records = await topics.read(aggregates);
  return records
    .map(({ key, value }) => ({ key: key?.toString(), ...eventSchema.parse(JSON.parse(value?.toString() ?? '')) }))
    .filter((event) => event.source.topic === topic);
}

const position = async (topic: string) =>
  (
    await bed.database.query<{ next: string; segment: string; watermark: number | null }>(
      `SELECT next_offset AS next, segment_first_offset AS segment, (extract(epoch FROM watermark) * 1000)::float8 AS watermark
       FROM ${bed.schema}.speed_position WHERE topic = $1`,
      [topic],
    )
  )[0];

/** Waits until all up to an offset is in the windows. */
const written = (topic: string, nextOffset: number): Promise<unknown> =>
  eventually(
    `offset ${nextOffset} of ${topic} is in`,
    async () => Number((await position(topic))?.next) === nextOffset,
  );

describe('the windows of a partition', () => {
  it('show each reading soon, in a minute, an hour and a day, and tell it to Kafka', async () => {
    const topic = newTopic();
    const { partition, counts } = make(topic);
    expect(await partition.open()).toEqual({ offset: 0, rereadFrom: 0 });
    const first = at(0, '1.5', 'one');
    await partition.process(
      batchOf(topic, [first, at(59.999, '-0.25'), 'no envelope', makeEnvelope({ sensorId: '9' }), at(60, '421.10')]),
    );
    await written(topic, 5);
    expect(await windowsOf(topic)).toEqual({
      'minute 0': [2, '1.25'],
      'minute 1': [1, '421.1'],
      'hour 0': [3, '422.35'],
    });
    expect(await counts()).toEqual({ folded: 3, unreadable: 1, 'switched-off': 1 });
    await partition.close({ kind: 'stopped' });
    const events = await published(topic);
    expect(events).toHaveLength(4);
    expect(events.find(({ resolution }) => resolution === 'day')).toMatchObject({
      key: '6',
      window_start: '2024-03-01T00:00:00.000Z',
      state: 'provisional',
      revision: 1,
      source: { first_offset: 0, last_offset: 4 },
      aggregate: {
        count: 3,
        sum: '422.35',
        first: { created_at: String(START_MS / 1_000), correlation_id: 'one', value: '1.5' },
        last: { created_at: String(START_MS / 1_000 + 60), value: '421.10' },
      },
    });
  });

  it('go on after a stop and after a crash without a reading lost or doubled, and drop what is sent again', async () => {
    const topic = newTopic();
    const values = Array.from({ length: 130 }, (_, index) => at(index % 50, '1', `id-${index}`));
    // Sent again: near enough for one to be dropped, too far away for another.
    values[120] = values[25] ?? '';
    values[125] = values[3] ?? '';
    const batch = (from: number, to: number): ConsumedBatch => batchOf(topic, values.slice(from, to), from);
    const first = make(topic);
    await first.partition.open();
    await first.partition.process(batch(0, 40));
    await first.partition.close({ kind: 'stopped' });

    const crashed = make(topic);
    expect(await crashed.partition.open()).toEqual({ offset: 40, rereadFrom: 0 });
    await crashed.partition.process(batch(0, 80));
    // Nothing of it is written at the end of an ownership that was lost.
    await crashed.partition.close({ kind: 'revoked' });

    const last = make(topic);
    const { offset, rereadFrom } = (await last.partition.open()) as { offset: number; rereadFrom: number };
    expect([40, 80]).toContain(offset);
    await last.partition.process(batch(rereadFrom, 130));
    await last.partition.close({ kind: 'stopped' });
    expect((await last.counts())['duplicate']).toBe(1);
    expect((await windowsOf(topic))['minute 0']).toEqual([129, '129']);
    expect(await make(topic).partition.open()).toEqual({ offset: 130, rereadFrom: 30 });
  });

  it('are kept by segments, each up to where the records say that it ends', async () => {
    const topic = newTopic();
    const { partition } = make(topic);
    await partition.open();
    const now = Date.now();
    const appended = (offset: number, segment: number) => ({
      offset,
      timestampMs: now + (segment - 5) * SEGMENT_LENGTH_MS,
      value: Buffer.from(at(1, '1')),
    });
    const records = [appended(0, 1), appended(1, 1), appended(4, 2), appended(5, 2), appended(6, 4)];
    await partition.process({ ...batchOf(topic, records), nextOffset: 7 });
    await partition.close({ kind: 'stopped' });
    const again = make(topic);
    await again.partition.open();
    await again.partition.process(batchOf(topic, [appended(7, 4)], 7));
    // Nothing is left to be written of the segment but its end.
    await written(topic, 8);
    await again.partition.process(batchOf(topic, [appended(8, 5)], 8));
    await again.partition.close({ kind: 'stopped' });
    expect(
      await bed.database.query(
        `SELECT first_offset::int AS first, last_offset::int AS last FROM ${bed.schema}.speed_segment WHERE topic = $1 ORDER BY 1`,
        [topic],
      ),
    ).toEqual([
      { first: 0, last: 3 },
      { first: 4, last: 5 },
      { first: 6, last: 7 },
    ]);
    expect(await position(topic)).toMatchObject({ next: '9', segment: '8' });
    expect(
      await bed.database.query(
        `SELECT segment_first_offset::int AS segment, reading_count::int AS count FROM ${bed.schema}.speed_view
         WHERE topic = $1 AND resolution = 'minute' ORDER BY 1`,
        [topic],
      ),
    ).toEqual([
      { segment: 0, count: 2 },
      { segment: 4, count: 2 },
      { segment: 6, count: 2 },
      { segment: 8, count: 1 },
    ]);
  });

  it('are final when newer measurements have passed their end, not by forecasts, and corrected by late ones', async () => {
    const topic = newTopic();
    const { partition } = make(topic);
    await partition.open();
    const forecast = makeEnvelope({ aspect: 'edge_prediction', createdAt: String(START_MS / 1_000 + 86_400) });
    await partition.process(batchOf(topic, [at(0), forecast]));
    await written(topic, 2);
    expect((await position(topic))?.watermark).toBe(START_MS - LATENESS_MS);
    await partition.process(batchOf(topic, [at(95)], 2));
    await written(topic, 3);
    await eventually('the first minute is final', async () =>
      (await published(topic)).some(({ state, resolution }) => state === 'final' && resolution === 'minute'),
    );
    await partition.process(batchOf(topic, [at(7)], 3));
    await written(topic, 4);
    await partition.close({ kind: 'stopped' });
    const minutes = (await published(topic)).filter(
      ({ resolution, window_start: start }) => resolution === 'minute' && start === '2024-03-01T12:00:00.000Z',
    );
    expect(minutes.map(({ state, revision, aggregate }) => [state, revision, aggregate.count])).toEqual([
      ['provisional', 1, 1],
      ['final', 2, 1],
      ['corrected', 3, 2],
    ]);
    const others = (await published(topic)).filter((event) => event.state !== 'provisional');
    expect(others.filter(({ resolution }) => resolution !== 'minute')).toEqual([]);
  });

  it('are final though nothing more comes, when the clock has passed them', async () => {
    const topic = newTopic();
    const { partition } = make(topic, { idleMs: 100, latenessMs: 1_000 });
    await partition.open();
    await partition.process(batchOf(topic, [at(0)]));
    const finals = await eventually('all three are final', async () => {
      const events = (await published(topic)).filter(({ state }) => state === 'final');
      return events.length === 3 ? events : undefined;
    });
    expect(finals.map(({ resolution }) => resolution).sort()).toEqual(['day', 'hour', 'minute']);
  });

  it('are not final by the clock while there are readings that have not come yet', async () => {
    const topic = newTopic();
    const { partition } = make(topic, { idleMs: 1, latenessMs: 1_000 });
    await partition.open();
    await partition.process({ ...batchOf(topic, [at(0)]), highWatermark: 2 });
    await eventually('it is in', async () => Number((await position(topic))?.next) === 1);
    await partition.process({ ...batchOf(topic, [at(1)], 1), highWatermark: 3 });
    await eventually('the next is in', async () => Number((await position(topic))?.next) === 2);
    expect((await position(topic))?.watermark).toBe(START_MS + 1_000 - 1_000);
  });

  it('give way to whoever has moved their position, and open anew behind it', async () => {
    const topic = newTopic();
    const { partition, failures } = make(topic);
    await partition.open();
    await partition.process(batchOf(topic, [at(0)]));
    await written(topic, 1);
    await bed.database.query(
      `UPDATE ${bed.schema}.speed_position SET next_offset = 50, segment_first_offset = 50 WHERE topic = $1`,
      [topic],
    );
    await partition.process(batchOf(topic, [at(1)], 1));
    await eventually('it has noticed', () => failures.length > 0);
    expect(failures[0]).toMatchObject({ code: 'fenced' });
    await expect(partition.process(batchOf(topic, [at(2)], 2))).rejects.toMatchObject({ code: 'fenced' });
    expect((await windowsOf(topic))['minute 0']).toEqual([1, '1.5']);
    expect(await make(topic).partition.open()).toEqual({ offset: 50, rereadFrom: 0 });
  });

  it('hold what no text of a database can, and units without end', async () => {
    const topic = newTopic();
    const { partition } = make(topic);
    await partition.open();
    const odd = (unit: string, correlationId: string): string =>
      JSON.stringify({
        payload: JSON.stringify({ sensor_id: 6, modality: 1, unit, temporal_aspect: 'real_time' }),
        correlation_id: correlationId,
        created_at: START_MS / 1_000,
        schema_version: 1,
      });
    const values = [odd('M\0W', '\0'), odd('M␀W', 'b\ud800'), odd('\ud800', 'c'), odd('€'.repeat(9_000), 'd')];
    await partition.process(batchOf(topic, values));
    await written(topic, 4);
    await partition.close({ kind: 'stopped' });
    expect(
      await bed.database.query(
        `SELECT unit, reading_count::int AS count FROM ${bed.schema}.speed_view WHERE topic = $1 AND resolution = 'day' ORDER BY 1`,
        [topic],
      ),
    ).toEqual([
      { unit: 'M\\u0000W', count: 1 },
      { unit: 'M␀W', count: 1 },
      { unit: '\\ud800', count: 1 },
      { unit: expect.stringMatching(/^€{63}…[0-9a-f]{64}$/) as string, count: 1 },
    ]);
  });

  it('are published by whoever comes after, where Kafka was away, and nobody waits for it', async () => {
    const topic = newTopic();
    const unreachable = new KafkaProducer({
      // Nothing listens there.
      brokers: ['localhost:1'],
      clientId: 'test',
      logger: SILENT,
      queueBytes: 1 << 20,
      deliveryTimeoutMs: 1_000,
    });
    const troubles: (string | undefined)[] = [];
    const { partition } = make(topic, {
      producer: unreachable,
      onTrouble: (_topic, _partition, trouble) => troubles.push(trouble?.code),
    });
    await partition.open();
    for (let offset = 0; offset < 5; offset++) {
      await partition.process(batchOf(topic, [at(offset * 60)], offset));
      await written(topic, offset + 1);
    }
    await eventually('it says so', () => troubles.includes('not-acknowledged'));
    expect(await published(topic)).toEqual([]);
    await partition.close({ kind: 'stopped' });
    await unreachable.close(100);

    const next = make(topic);
    await next.partition.open();
    const events = await eventually('all is published', async () => {
      const all = await published(topic);
      return all.filter(({ resolution }) => resolution === 'minute').length >= 5 ? all : undefined;
    });
    await next.partition.close({ kind: 'stopped' });
    expect(Object.fromEntries(events.map((event) => [event.resolution, event.aggregate.count]))).toEqual({
      minute: 1,
      hour: 5,
      day: 5,
    });
    const again = make(topic);
    await again.partition.open();
    await again.partition.close({ kind: 'stopped' });
    expect(await published(topic)).toHaveLength(events.length);
  });
});
