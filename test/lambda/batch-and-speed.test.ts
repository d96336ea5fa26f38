import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergedWindows, type MergedWindow, type Provenance } from '../../connectors/postgres/serving/merged-view.ts';
import { aggregateOf, EMPTY, merged, type Aggregate } from '../../grid/aggregate/aggregate.ts';
import { EXACT_SCALE, unitsOf } from '../../grid/aggregate/exact-decimal.ts';
import { decodeEnvelope } from '../../grid/envelope.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { LIMITS } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { ViewsBed } from '../views/views-bed.ts';

const TOPIC = `LAMBDA-${randomUUID()}`;
const PARTITIONS = 3;
const SENSORS = 12;
const READINGS_AT_A_TIME = sized(100, 1_000);
const BUILDS = sized(3, 6);
const DAY_MS = 86_400_000;
const WATCHED = { aspect: 'real_time', resolution: 'day', limit: 100 } as const;

/** What an answer for one sensor said at some moment. */
interface Seen {
  readonly sensorId: string;
  readonly windows: readonly MergedWindow[];
  readonly provenance: Provenance;
}

let bed: ViewsBed;
let feed: KafkaFeed;
let environment: Record<string, string>;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  const config = loadConfig();
  bed = await ViewsBed.open(TOPIC);
  feed = new KafkaFeed(config.KAFKA_BROKERS);
  await feed.createTopic(TOPIC, PARTITIONS);
  environment = {
    SPEED_SINKS: 'hdfs,windows',
    CONSUMER_GROUP_PREFIX: TOPIC,
    TOPIC_INGESTION: TOPIC,
    TOPIC_AGGREGATES: `${TOPIC}.AGGREGATES`,
    HDFS_TOPICS_DIRECTORY: bed.files.topicsDirectory,
    SERVING_SCHEMA: bed.serving.schema.replaceAll('"', ''),
    SPEED_METRICS_PORT: '0',
    SINK_RETRY_MAX_DELAY_MS: '500',
    HDFS_ROTATE_SECONDS: '1',
    SEGMENT_SECONDS: '2',
  };
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await feed.deleteTopics([TOPIC, `${TOPIC}.AGGREGATES`]);
  await feed.close();
  await bed.close();
});

function startWorker(): WorkerProcess {
  const worker = new WorkerProcess('npm:worker:speed', environment);
  workers.push(worker);
  return worker;
}

/** Readings of now, some of yesterday, some sent again. */
async function feedUntil(isStopping: () => boolean): Promise<void> {
  const recent: { key: string; value: string }[] = [];
  while (!isStopping()) {
    const messages = Array.from({ length: READINGS_AT_A_TIME }, () => {
      const again = randomInt(20) === 0 ? recent[randomInt(Math.max(1, recent.length))] : undefined;
      if (again !== undefined) return again;
      const sensorId = String(randomInt(SENSORS));
      const lateMs = randomInt(15) === 0 ? DAY_MS : randomInt(5_000);
      const createdAt = ((Date.now() - lateMs) / 1_000).toFixed(3);
      return {
        key: sensorId,
        value: makeEnvelope({ sensorId, createdAt, modality: (randomInt(10 ** 9) / 1e4).toFixed(4) }),
      };
    });
    await feed.send(TOPIC, messages);
    recent.push(...messages);
    recent.splice(0, Math.max(0, recent.length - 1_000));
    await delay(50);
  }
}

async function answerFor(sensorId: string): Promise<Seen> {
  const nowMs = Date.now();
  const query = { ...WATCHED, sensorId, fromMs: nowMs - 3 * DAY_MS, toMs: nowMs + DAY_MS };
  return { sensorId, ...(await mergedWindows(bed.serving, bed.serving.schema, query)) };
}

interface Placed {
  readonly partition: number;
  readonly offset: number;
  readonly sensorId: string;
  readonly startMs: number;
  readonly aggregate: Aggregate;
}

/** Each reading of the topic once, the first with its correlation id; by sensor. */
async function readingsInKafka(): Promise<ReadonlyMap<string, readonly Placed[]>> {
  const places = [...(await feed.readTopic(TOPIC))].map(([place, value]) => {
    const [partition = -1, offset = -1] = place.split('/').map(Number);
    return { partition, offset, value };
  });
  const seen = new Set<string>();
  const readings = places
    .sort((one, other) => one.partition - other.partition || one.offset - other.offset)
    .flatMap(({ partition, offset, value }) => {
      const decoded = decodeEnvelope(Buffer.from(value), Date.now(), LIMITS);
      if (!decoded.ok) throw new Error(decoded.rejection.message);
      const { reading } = decoded;
      if (seen.has(reading.correlationId)) return [];
      seen.add(reading.correlationId);
      const startMs = Math.floor(reading.eventTimeMs / DAY_MS) * DAY_MS;
      return [{ partition, offset, sensorId: reading.sensorId, startMs, aggregate: aggregateOf(reading) }];
    });
  const bySensor = new Map<string, Placed[]>();
  for (const reading of readings) {
    const ofSensor = bySensor.get(reading.sensorId);
    if (ofSensor === undefined) bySensor.set(reading.sensorId, [reading]);
    else ofSensor.push(reading);
  }
  return bySensor;
}

/** Count, sum, extremes, first and last of each day, as a text for each. */
function shown(windows: Iterable<readonly [number, Aggregate]>): string[] {
  return [...windows]
    .sort(([one], [other]) => one - other)
    .map(([startMs, { count, sum, min, max, first, last }]) =>
      [startMs, count, sum, min, max, first?.order, first?.value, last?.order, last?.value].join(' '),
    );
}

function answered({ windows }: Seen): string[] {
  const exact = (text: string | undefined): bigint | undefined =>
    text === undefined ? undefined : unitsOf(text, EXACT_SCALE);
  return shown(
    windows.map((window) => [
      window.startMs,
      {
        ...EMPTY,
        count: window.count,
        sum: exact(window.sum) ?? 0n,
        min: exact(window.min),
        max: exact(window.max),
        first: { order: window.firstOrder, value: window.firstValue },
        last: { order: window.lastOrder, value: window.lastValue },
      },
    ]),
  );
}

/** The same from all readings up to where the answer says that the layers are. */
function recomputed({ sensorId, provenance }: Seen, readings: ReadonlyMap<string, readonly Placed[]>): string[] {
  const ends = new Map<number, number>();
  for (const { partition, nextOffset } of provenance.speed) ends.set(partition, Number(nextOffset));
  for (const { partition, lastOffset } of provenance.boundary) {
    ends.set(partition, Math.max(ends.get(partition) ?? 0, Number(lastOffset) + 1));
  }
  const days = new Map<number, Aggregate>();
  for (const reading of readings.get(sensorId) ?? []) {
    if (reading.offset >= (ends.get(reading.partition) ?? 0)) continue;
    days.set(reading.startMs, merged(days.get(reading.startMs) ?? EMPTY, reading.aggregate));
  }
  return shown(days);
}

describe('batch and speed together', () => {
  it('are what all readings come to, at every moment, while readings stream, workers are killed and views are built', async () => {
    const run = { isStopping: false };
    const feeding = feedUntil(() => run.isStopping);
    startWorker();
    const seen: Seen[] = [];
    const watching = (async () => {
      while (!run.isStopping) {
        seen.push(await answerFor(String(randomInt(SENSORS))));
        await delay(500);
      }
    })();
    let covered = 0;
    for (let build = 0; build < BUILDS; build++) {
      // Segments that have ended since, in files that are committed, are there for the next build.
      const result = await eventually('a build takes over readings', async () => {
        const { outcome, counted } = await bed.build({ resolutions: ['day', 'hour', 'minute'] });
        return outcome !== 'up-to-date' && counted > 0 && { counted };
      });
      covered += result.counted;
      await workers.at(-1)?.kill();
      startWorker();
    }
    run.isStopping = true;
    await Promise.all([feeding, watching]);

    const readings = await readingsInKafka();
    const wrong = seen.flatMap((answer) => {
      const [is, shall] = [answered(answer), recomputed(answer, readings)];
      return JSON.stringify(is) === JSON.stringify(shall) ? [] : [{ is, shall, provenance: answer.provenance }];
    });
    expect(wrong.slice(0, 2)).toEqual([]);
    expect(
      seen.some(({ windows }) => windows.some(({ batchCount, count }) => batchCount > 0 && batchCount < count)),
    ).toBe(true);
    expect(covered).toBeGreaterThan(0);

    // In the end the layers have all of it.
    const ends = new Map<number, number>();
    for (const { partition, offset } of [...readings.values()].flat())
      ends.set(partition, Math.max(ends.get(partition) ?? 0, offset + 1));
    await eventually('the windows have all readings', async () => {
      const { provenance } = await answerFor('0');
      return [...ends].every(([partition, end]) =>
        provenance.speed.some((position) => position.partition === partition && Number(position.nextOffset) >= end),
      );
    });
    for (let sensor = 0; sensor < SENSORS; sensor++) {
      const answer = await answerFor(String(sensor));
      expect(answered(answer), `sensor ${sensor}`).toEqual(recomputed(answer, readings));
    }
    const all = Array.from({ length: SENSORS }, (_, sensor) => answerFor(String(sensor)));
    const counts = (await Promise.all(all)).flatMap(({ windows }) => windows.map(({ count }) => count));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe([...readings.values()].flat().length);
  }, 900_000);
});
