import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeEnvelope } from '../../grid/envelope.ts';
import { provideSimbench, SIMBENCH_MAPPING } from '../../infra/datasets/simbench.ts';
import { PROJECT_DIRECTORY } from '../../infra/native/settings.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics, type ReadRecord } from '../support/kafka-topics.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { reportsOf } from './run-report.ts';

const config = loadConfig();
const topics = new KafkaTopics(config.KAFKA_BROKERS);
const limits = { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000 };
const workers: WorkerProcess[] = [];
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'powergrid-files-'));
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await topics.remove();
  await rm(directory, { recursive: true, force: true });
});

function replay(environment: Readonly<Record<string, string>>): WorkerProcess {
  const worker = new WorkerProcess('workers/simulator.ts', {
    SIMULATOR_SENSORS: '0',
    SIMULATOR_METRICS_PORT: '0',
    FILE_SOURCE_SPEED: '0',
    ...environment,
  });
  workers.push(worker);
  return worker;
}

/** Waits until a replay has written so many records more, or has ended. */
async function furtherBy(topic: string, before: number, records: number, worker: WorkerProcess): Promise<void> {
  await eventually(
    `${records} records more in ${topic}`,
    async () => (await topics.count(topic)) >= before + records || !worker.isRunning,
  );
}

const START = Date.UTC(2024, 0, 1) / 1_000;
const ROWS = 1_500;
const SERIES = ['north', 'south', 'east', 'west'];

/** Files of a test's own: two wide tables and a long one, compressed; every 100th row of the first has a cell that is no number. */
async function writeFiles(name: string): Promise<{ mapping: string; cells: Set<string>; bad: number }> {
  const cells = new Set<string>();
  let bad = 0;
  const wide = (file: string): string => {
    const rows = Array.from({ length: ROWS }, (_row, index) => {
      const values = SERIES.map((series, column) => {
        if (file === 'a' && column === 0 && index % 100 === 0) {
          bad += 1;
          return 'offline';
        }
        const value = `${index}.${column}0`;
        cells.add(`${file}.${series} ${START + index * 60} ${value}`);
        return value;
      });
      return [START + index * 60, ...values].join(',');
    });
    return `time,${SERIES.join(',')}\n${rows.join('\n')}\n`;
  };
  const long = Array.from({ length: ROWS * 2 }, (_row, index) => {
    const [sensor, time, value] = [`meter-${index % 7}`, START + index * 30, `-${index}.5`];
    cells.add(`${sensor} ${time} ${value}`);
    return `${sensor};${time};${value}`;
  });
  await writeFile(join(directory, `${name}-a.csv`), wide('a'));
  await writeFile(join(directory, `${name}-b.csv`), wide('b'));
  await writeFile(join(directory, `${name}-c.csv.gz`), gzipSync(`id;time;value\n${long.join('\n')}\n`));
  const mapping = join(directory, `${name}.json`);
  const time = { column: 'time', format: 'epoch-seconds' };
  await writeFile(
    mapping,
    JSON.stringify({
      dataset: name,
      defaults: { unit: 'MW', time },
      files: [
        { layout: 'wide', path: `${name}-a.csv`, id: 'a.{column}' },
        { layout: 'wide', path: `${name}-b.csv`, id: 'b.{column}' },
        { layout: 'long', path: `${name}-c.csv.gz`, delimiter: ';', sensorColumn: 'id', valueColumn: 'value' },
      ],
    }),
  );
  return { mapping, cells, bad };
}

function decode({ value, timestampMs }: ReadRecord) {
  const decoded = decodeEnvelope(value, timestampMs, limits);
  if (!decoded.ok) throw new Error(decoded.rejection.message);
  return decoded.reading;
}

const cellOf = (record: ReadRecord): string => {
  const { sensorId, createdAt, modality } = decode(record);
  return `${sensorId} ${createdAt} ${modality}`;
};

test('killed again and again, a replay still brings every cell, and what comes twice is the same to the byte', async () => {
  const { mapping, cells, bad } = await writeFiles('killed');
  const [readings, text] = [topics.name('killed'), topics.name('killed-text')];
  const environment = {
    TOPIC_INGESTION: readings,
    TOPIC_UNORGANIZED: text,
    FILE_SOURCE_MAPPING: mapping,
    FILE_SOURCE_STATE_FILE: join(directory, 'killed.state.json'),
    // 25 hours in about 10 seconds.
    FILE_SOURCE_SPEED: '9000',
  };
  for (let kill = 0; kill < 4; kill += 1) {
    const before = await topics.count(readings);
    const worker = replay(environment);
    await furtherBy(readings, before, 1_500, worker);
    await eventually('it keeps how far it is', () => existsSync(environment.FILE_SOURCE_STATE_FILE));
    await worker.kill();
  }
  const last = replay(environment);
  expect(await last.ended, last.output).toEqual({ code: 0, signal: null });
  expect(reportsOf(last).get('file:killed')).toMatchObject({ outcome: 'finished', unacknowledged: 0 });

  const records = await topics.read(readings);
  expect(new Set(records.map(cellOf))).toEqual(cells);
  const bytesById = new Map<string, string>();
  for (const record of records) {
    const { correlationId } = decode(record);
    const bytes = record.value?.toString() ?? '';
    expect(bytesById.get(correlationId) ?? bytes).toBe(bytes);
    bytesById.set(correlationId, bytes);
    expect(record.key?.toString()).toBe(decode(record).sensorId);
  }
  expect(bytesById.size).toBe(cells.size);
  // The last run did not begin at the beginning.
  expect(reportsOf(last).get('file:killed')?.acknowledged['readings']).toBeLessThan(cells.size);

  const lines = new Set((await topics.read(text)).map(({ value }) => value?.toString() ?? ''));
  expect(lines.size).toBe(bad);
  for (const line of lines) expect(line).toMatch(/^killed-a\.csv\t\d+\tnorth\tmalformed-source-data\t.*\t\d+,offline$/);
});

test('stopped by SIGTERM and started again, a replay brings every cell exactly once', async () => {
  const { mapping, cells } = await writeFiles('stopped');
  const readings = topics.name('stopped');
  const environment = {
    TOPIC_INGESTION: readings,
    TOPIC_UNORGANIZED: topics.name('stopped-text'),
    FILE_SOURCE_MAPPING: mapping,
    FILE_SOURCE_STATE_FILE: join(directory, 'stopped.state.json'),
    FILE_SOURCE_SPEED: '9000',
  };
  for (let stop = 0; stop < 3; stop += 1) {
    const before = await topics.count(readings);
    const worker = replay(environment);
    await furtherBy(readings, before, 1_000, worker);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    expect(reportsOf(worker).get('file:stopped')).toMatchObject({ unacknowledged: 0, resentBatches: 0 });
  }
  const last = replay({ ...environment, FILE_SOURCE_SPEED: '0' });
  expect(await last.ended, last.output).toEqual({ code: 0, signal: null });
  const records = await topics.read(readings);
  expect(records.map(cellOf).sort()).toEqual([...cells].sort());
});

test('a mapping that does not fit ends the process with a sentence that names file and column', async () => {
  const { mapping } = await writeFiles('misfit');
  await writeFile(join(directory, 'misfit-b.csv'), 'zeit,x\n');
  const worker = replay({
    FILE_SOURCE_MAPPING: mapping,
    TOPIC_INGESTION: topics.name('misfit'),
    TOPIC_UNORGANIZED: topics.name('misfit-text'),
  });
  expect(await worker.ended).toEqual({ code: 1, signal: null });
  expect(worker.output).toMatch(/misfit-b\.csv: there is no column ..?time/);
});

test('SimBench is replayed with each quarter of an hour once, also in the night in which clocks are set back', async (context) => {
  const simbench = await provideSimbench(join(PROJECT_DIRECTORY, config.STACK_HOME), () => undefined);
  if (simbench.kind === 'unavailable') {
    context.skip(`SimBench cannot be had here: ${simbench.error.message}`);
    return;
  }
  const readings = topics.name('simbench');
  const worker = replay({
    TOPIC_INGESTION: readings,
    TOPIC_UNORGANIZED: topics.name('simbench-text'),
    FILE_SOURCE_MAPPING: SIMBENCH_MAPPING,
    FILE_SOURCE_DIRECTORY: simbench.directory,
    FILE_SOURCE_FROM: '2016-10-29T22:00:00Z',
    FILE_SOURCE_TO: '2016-10-30T23:00:00Z',
  });
  expect(await worker.ended, worker.output).toEqual({ code: 0, signal: null });
  const times = new Map<string, Set<number>>();
  for (const record of await topics.read(readings)) {
    const { sensorId, eventTimeMs, unit, aspect } = decode(record);
    expect(unit).toBe('p.u.');
    expect(aspect).toBe(/\.scenario[12]$/.test(sensorId) ? 'edge_prediction' : 'real_time');
    times.set(sensorId, (times.get(sensorId) ?? new Set()).add(eventTimeMs));
  }
  // 192 load, 42 renewable and 320 power plant series of today; 40 series in each of two futures.
  expect(times.size).toBe(192 + 42 + 320 + 2 * 40);
  const dayOf25Hours = Array.from({ length: 100 }, (_quarter, index) => Date.UTC(2016, 9, 29, 22) + index * 900_000);
  for (const [sensorId, own] of times) expect([...own], sensorId).toEqual(dayOf25Hours);
});
