import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXACT_SCALE, exactUnits, unitsOf } from '../../grid/aggregate/exact-decimal.ts';
import { decodeEnvelope } from '../../grid/envelope.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { CompactionResult } from '../../workflows/compaction/contract.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { LIMITS } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { isFull, sized } from '../support/test-size.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { CompactionBed } from './compaction-bed.ts';

const TOPIC = `COMPACTION-${randomUUID()}`;
const PARTITIONS = 2;
const SENSORS = 5;
const READINGS_AT_A_TIME = sized(20, 1_000);
const COMPACTIONS = sized(1, 6);
const DAY_MS = 86_400_000;

let bed: CompactionBed;
let feed: KafkaFeed;
let environment: Record<string, string>;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  bed = await CompactionBed.open(TOPIC);
  feed = new KafkaFeed(loadConfig().KAFKA_BROKERS);
  await feed.createTopic(TOPIC, PARTITIONS);
  environment = {
    SPEED_SINKS: 'hdfs',
    CONSUMER_GROUP_PREFIX: TOPIC,
    TOPIC_INGESTION: TOPIC,
    HDFS_TOPICS_DIRECTORY: bed.files.topicsDirectory,
    SERVING_SCHEMA: `test_compaction_${randomUUID().slice(0, 8)}`,
    SPEED_METRICS_PORT: '0',
    SINK_RETRY_MAX_DELAY_MS: '500',
    HDFS_ROTATE_SECONDS: '1',
  };
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await feed.deleteTopics([TOPIC]);
  await feed.close();
  await bed.close();
});

function startWorker(): void {
  workers.push(new WorkerProcess('npm:worker:speed', environment));
}

/** Readings of now, some of yesterday, some sent again. */
async function feedUntil(isStopping: () => boolean): Promise<void> {
  const sent: { key: string; value: string }[] = [];
  while (!isStopping()) {
    const messages = Array.from({ length: READINGS_AT_A_TIME }, () => {
      const again = randomInt(10) === 0 ? sent[randomInt(Math.max(1, sent.length))] : undefined;
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
    sent.push(...messages);
    await delay(200);
  }
}

/** What the view said of each sensor, and up to which offsets it said to reach. */
interface Seen {
  readonly shownTo: string;
  readonly compactedTo: string;
  readonly sensors: string[];
}

async function properties(): Promise<ReadonlyMap<string, string>> {
  const rows = await bed.hive.rows(`SHOW TBLPROPERTIES ${bed.database}.readings_all`);
  return new Map(rows.map(([name, value]) => [name ?? '', value ?? '']));
}

/** Undefined: the view was switched meanwhile, so nobody can tell which of the two answered. */
async function look(): Promise<Seen | undefined> {
  const before = await properties();
  const rows = await bed.hive.rows(
    `SELECT sensor_id, COUNT(*), SUM(value) FROM ${bed.database}.readings_all GROUP BY sensor_id`,
  );
  if ((await properties()).get('readings.shown') !== before.get('readings.shown')) return undefined;
  return {
    shownTo: before.get('readings.shown_to') ?? '',
    compactedTo: before.get('readings.compacted_to') ?? '',
    sensors: rows
      .map(([sensor, count, sum]) => told(sensor ?? '', count ?? '', unitsOf(sum ?? '', EXACT_SCALE)))
      .sort(),
  };
}

function told(sensor: string, count: number | string, sum: bigint): string {
  return `sensor ${sensor}: ${count} readings, ${sum}`;
}

interface Placed {
  readonly partition: number;
  readonly offset: number;
  readonly sensorId: string;
  readonly key: string;
  readonly units: bigint;
}

async function readingsInKafka(): Promise<readonly Placed[]> {
  return [...(await feed.readTopic(TOPIC))].map(([place, value]) => {
    const [partition = -1, offset = -1] = place.split('/').map(Number);
    const decoded = decodeEnvelope(Buffer.from(value), Date.now(), LIMITS);
    if (!decoded.ok) throw new Error(decoded.rejection.message);
    const { sensorId, correlationId, eventTimeMs, modality } = decoded.reading;
    const key = `${correlationId} ${Math.floor(eventTimeMs / DAY_MS)}`;
    return { partition, offset, sensorId, key, units: exactUnits(modality) ?? 0n };
  });
}

/** The same from what lies in Kafka up to a vector, each reading once. */
function recomputed(shownTo: string, readings: readonly Placed[]): string[] {
  const ends = new Map(shownTo.split(',').map((pair) => pair.split(':').map(Number) as [number, number]));
  const seen = new Set<string>();
  const sensors = new Map<string, { count: number; sum: bigint }>();
  for (const { partition, offset, sensorId, key, units } of readings) {
    if (offset > (ends.get(partition) ?? -1) || seen.has(key)) continue;
    seen.add(key);
    const { count, sum } = sensors.get(sensorId) ?? { count: 0, sum: 0n };
    sensors.set(sensorId, { count: count + 1, sum: sum + units });
  }
  return [...sensors].map(([sensor, { count, sum }]) => told(sensor, count, sum)).sort();
}

describe.runIf(isFull)('readings_all', () => {
  it('is what Kafka has acknowledged, each reading once, at every moment, while readings stream, workers are killed and days are compacted', async () => {
    const run = { isStopping: false };
    const feeding = feedUntil(() => run.isStopping);
    startWorker();
    await eventually('something is shown', async () => (await bed.refresh()).shownTo.length > 0);
    const seen: Seen[] = [];
    const results: CompactionResult[] = [];
    const watchUntil = async (isOver: () => boolean): Promise<void> => {
      do {
        const answer = await look();
        if (answer !== undefined) seen.push(answer);
        await bed.refresh();
      } while (!isOver());
    };
    for (let compaction = 0; compaction < COMPACTIONS; compaction++) {
      // The worker that follows takes up what this one leaves, while days are compacted.
      await workers.at(-1)?.kill();
      startWorker();
      let isOver = false;
      await Promise.all([
        bed.compact().then((result) => {
          results.push(result);
          isOver = true;
        }),
        watchUntil(() => isOver),
      ]);
    }
    run.isStopping = true;
    await feeding;

    const readings = await readingsInKafka();
    const wrong = seen.flatMap(({ shownTo, sensors }) => {
      const shall = recomputed(shownTo, readings);
      return JSON.stringify(sensors) === JSON.stringify(shall) ? [] : [{ is: sensors, shall, shownTo }];
    });
    expect(wrong.slice(0, 2)).toEqual([]);
    expect(results.map(({ outcome }) => outcome)).toContain('compacted');

    // In the end the view has all of it.
    const ends = new Map<number, number>();
    for (const { partition, offset } of readings) ends.set(partition, Math.max(ends.get(partition) ?? -1, offset));
    await eventually('the views reach to the end', async () => {
      const { shownTo } = await bed.refresh();
      return [...ends].every(([partition, end]) =>
        shownTo.some((one) => one.partition === partition && one.lastOffset >= end),
      );
    });
    const last = await look();
    expect(last?.sensors).toEqual(recomputed(last?.shownTo ?? '', readings));
    expect(last?.compactedTo).not.toBe('');
  }, 1_800_000);
});
