import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergedWindows, type MergedQuery, type MergedWindow } from '../../connectors/postgres/serving/merged-view.ts';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { RESOLUTIONS } from '../../grid/aggregate/window.ts';
import { loadConfig } from '../../runtime/config.ts';
import { sized } from '../support/test-size.ts';
import {
  coveredBy,
  foldNext,
  publish,
  recomputed,
  removeCovered,
  shown,
  type ModelLog,
  type ModelReading,
} from './model-layers.ts';

const SCHEMA = 'test_serving_merge';
const START_MS = Date.UTC(2026, 2, 1);
const PARTITIONS = 2;
const READINGS_OF_PARTITION = 60;

const database = new ServingDatabase({
  url: loadConfig().SERVING_DATABASE_URL,
  schema: SCHEMA,
  maxConnections: 6,
  timeoutMs: 60_000,
  applicationName: 'test',
});
const drop = () => database.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);

beforeAll(drop);
afterAll(async () => {
  await drop();
  await database.close();
});

const pick = <T>(...choices: T[]): T => choices[randomInt(choices.length)] as T;

function randomReading(): ModelReading {
  const seconds = START_MS / 1_000 + randomInt(3 * 3_600);
  const createdAt = `${seconds}.${String(randomInt(1_000)).padStart(3, '0')}`;
  return {
    sensorId: pick('6', 'a "quoted"; DROP TABLE x', '7'),
    aspect: pick('real_time', 'real_time', 'edge_prediction'),
    unit: pick('MW', 'kV', ''),
    modality: pick(
      String(randomInt(1_000_000)),
      `-${randomInt(1_000)}.${randomInt(1_000_000)}`,
      `0.${'0'.repeat(randomInt(17))}${randomInt(1, 10)}`,
      '99999999999999999999',
      '1e400',
      '1e-19',
    ),
    createdAt,
    // Some are of the very same moment, and some are sent twice with another value.
    correlationId: pick(randomUUID(), 'same'),
    eventTimeMs: Math.floor(seconds * 1_000),
  };
}

function randomLog(): ModelLog {
  const partitions = Array.from({ length: PARTITIONS }, () =>
    Array.from({ length: READINGS_OF_PARTITION }, randomReading),
  );
  const segments = partitions.map((readings) => {
    const firsts = [0];
    for (let at = randomInt(1, 30); at < readings.length; at += randomInt(1, 30)) firsts.push(at);
    return firsts;
  });
  return { partitions, segments };
}

const nameOf = (query: MergedQuery, { unit, startMs }: Pick<MergedWindow, 'unit' | 'startMs'>) =>
  JSON.stringify({ sensorId: query.sensorId, aspect: query.aspect, unit, resolution: query.resolution, startMs });

/** Reads all windows of a query page by page; pages are snapshots of their own, so only one page is compared at a time. */
async function checkOnce(log: ModelLog): Promise<number> {
  const query: MergedQuery = {
    sensorId: pick('6', '7', 'a "quoted"; DROP TABLE x', 'unknown'),
    aspect: pick('real_time', 'edge_prediction'),
    unit: pick(undefined, undefined, 'MW', ''),
    resolution: pick(...RESOLUTIONS),
    fromMs: START_MS - pick(0, 86_400_000),
    toMs: START_MS + pick(3_600_000, 86_400_000, 2 * 86_400_000),
    after: pick(undefined, { startMs: START_MS + 3_600_000, unit: 'MW' }),
    limit: pick(1, 7, 10_000),
  };
  const { provenance, windows } = await mergedWindows(database, database.schema, query);
  const { sensorId, aspect, unit, resolution, after } = query;
  const expected = [...recomputed(log, coveredBy(provenance, PARTITIONS))]
    .map(([name, aggregate]) => ({
      key: JSON.parse(name) as MergedQuery & { unit: string; startMs: number },
      aggregate,
    }))
    .filter(({ key }) => key.sensorId === sensorId && key.aspect === aspect && key.resolution === resolution)
    .filter(
      ({ key }) => (unit === undefined || key.unit === unit) && key.startMs >= query.fromMs && key.startMs < query.toMs,
    )
    .filter(
      ({ key }) =>
        after === undefined || key.startMs > after.startMs || (key.startMs === after.startMs && key.unit > after.unit),
    )
    .sort((a, b) => a.key.startMs - b.key.startMs || (a.key.unit < b.key.unit ? -1 : 1))
    .slice(0, query.limit);
  expect(windows.map((window) => nameOf(query, window))).toEqual(expected.map(({ key }) => nameOf(query, key)));
  for (const [at, { aggregate }] of expected.entries()) expect(windows[at]).toMatchObject(shown(aggregate));
  return windows.length;
}

describe('batch and speed, added up', () => {
  it('are at every moment what the readings say, whatever is folded, published and removed meanwhile', async () => {
    let compared = 0;
    for (let run = 0; run < sized(2, 40); run++) {
      await drop();
      await database.migrate();
      const log = randomLog();
      const boundary = Array<number>(PARTITIONS).fill(-1);
      const folded = Array<number>(PARTITIONS).fill(0);
      let isOver = false;
      const reading = Array.from({ length: 3 }, async () => {
        while (!isOver) compared += await checkOnce(log);
      });
      const writing = (async () => {
        try {
          while (boundary.some((lastOffset) => lastOffset < READINGS_OF_PARTITION - 1)) {
            const step = randomInt(10);
            if (step < 6) {
              const partition = randomInt(PARTITIONS);
              const count = randomInt(1, 20);
              await foldNext(database, log, partition, count);
              folded[partition] = Math.min(
                READINGS_OF_PARTITION,
                Math.max(folded[partition] ?? 0, (boundary[partition] ?? -1) + 1) + count,
              );
            } else if (step < 8) {
              await removeCovered(database, randomInt(1, 50));
            } else {
              for (const [partition, firsts] of log.segments.entries()) {
                // Ends of full segments, one that the sink has not reached among them at times.
                const ends = [...firsts.slice(1).map((first) => first - 1), READINGS_OF_PARTITION - 1];
                const reach = Math.max(folded[partition] ?? 0, (boundary[partition] ?? -1) + 1) + pick(0, 0, 40);
                const fits = ends.filter((end) => end > (boundary[partition] ?? -1) && end < reach);
                if (fits.length > 0) boundary[partition] = pick(...fits);
              }
              await publish(database, log, boundary);
            }
          }
        } finally {
          isOver = true;
        }
      })();
      await Promise.all([writing, ...reading]);
      const { windows } = await mergedWindows(database, database.schema, {
        ...{
          sensorId: '6',
          aspect: 'real_time',
          resolution: 'day',
          fromMs: START_MS,
          toMs: START_MS + 86_400_000,
          limit: 10,
        },
      });
      const whole = recomputed(log, Array<number>(PARTITIONS).fill(READINGS_OF_PARTITION));
      for (const window of windows) {
        const key = { sensorId: '6', aspect: 'real_time', unit: window.unit, resolution: 'day', startMs: START_MS };
        expect(window.count).toBe(whole.get(JSON.stringify(key))?.count);
      }
      expect(windows.length).toBeGreaterThan(0);
    }
    expect(compared).toBeGreaterThan(100);
  });
});
