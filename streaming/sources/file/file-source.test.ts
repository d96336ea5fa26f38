import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../../grid/envelope.ts';
import type { Reading } from '../../../grid/reading.ts';
import type { ProducedRecord } from '../../../connectors/kafka/record-producer.ts';
import type { SourceBatch } from '../pacing/paced-source.ts';
import { openFileSource, type FileSourceOptions, type OpenedFileSource } from './file-source.ts';
import { parseMapping } from './mapping.ts';

const NOW_MS = Date.UTC(2024, 5, 1, 12);
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'file-source-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function open(mapping: object, changed: Partial<FileSourceOptions> = {}): Promise<OpenedFileSource> {
  return openFileSource({
    mapping: parseMapping({ dataset: 'test', ...mapping }, 'test'),
    directory,
    readingsTopic: 'readings',
    unorganizedTopic: 'text',
    speed: 0,
    timestamps: 'original',
    loop: false,
    maxAheadMs: 3_600_000,
    logger: pino({ level: 'silent' }),
    now: () => NOW_MS,
    ...changed,
  });
}

const put = (name: string, content: string | Buffer) => writeFile(join(directory, name), content);

interface Taken {
  readonly readings: readonly Reading[];
  readonly text: readonly ProducedRecord[];
  readonly records: readonly ProducedRecord[];
}

/** Takes all there is, acknowledging each batch. */
async function drain(
  { source }: OpenedFileSource,
  untilMs = Infinity,
  batchRecords = 3,
  batches = Infinity,
): Promise<Taken> {
  const records: ProducedRecord[] = [];
  const text: ProducedRecord[] = [];
  for (let i = 0; i < batches; i += 1) {
    const taken = await source.take(untilMs, batchRecords);
    if (taken.kind !== 'batch') break;
    collect(taken.batch, records, text);
    taken.batch.onAcknowledged?.();
  }
  return { readings: records.map(decode), text, records };
}

function collect(batch: SourceBatch, records: ProducedRecord[], text: ProducedRecord[]): void {
  for (const send of batch.sends) (send.topic === 'readings' ? records : text).push(...send.records);
}

function decode({ value }: ProducedRecord): Reading {
  const decoded = decodeEnvelope(Buffer.from(value ?? ''), NOW_MS, { maxBytes: 65_536, maxAheadMs: 3_600_000 });
  if (!decoded.ok) throw new Error(decoded.rejection.message);
  return decoded.reading;
}

const wide = (path: string, more: object = {}) => ({
  layout: 'wide',
  path,
  unit: 'MW',
  time: { column: 'time' },
  ...more,
});

describe('a wide table', () => {
  test('gives a reading for each cell, with the text of its value', async () => {
    await put('a.csv', 'time,A,B,note\n2024-01-01T00:00Z,1.50,-2.0,x\n2024-01-01T00:15Z,,3e2,y\n');
    const opened = await open({
      files: [wide('a.csv', { id: 'grid.{file}.{column}', exclude: ['note'], units: { B: 'kW' } })],
    });
    const { readings, text } = await drain(opened);
    expect(readings.map(({ sensorId, modality, unit, createdAt }) => [sensorId, modality, unit, createdAt])).toEqual([
      ['grid.a.A', '1.50', 'MW', '1704067200'],
      ['grid.a.B', '-2.0', 'kW', '1704067200'],
      ['grid.a.B', '3e2', 'kW', '1704068100'],
    ]);
    expect(text).toEqual([]);
  });

  test('in the German way: semicolons, decimal commas, day first, local time, Latin-1', async () => {
    const content = 'Stand\n"Datum";"Zeit";"Z\u00e4hler 1"\n01.07.2023;00:15;"1.234,50"\n';
    await put('a.csv', Buffer.from(content, 'latin1'));
    const opened = await open({
      files: [
        wide('a.csv', {
          ...{ delimiter: ';', decimal: ',', thousands: '.', encoding: 'latin1', skipLines: 1 },
          time: { column: ['Datum', 'Zeit'], format: 'DD.MM.YYYY HH:mm', timeZone: 'Europe/Berlin' },
        }),
      ],
    });
    expect((await drain(opened)).readings).toMatchObject([
      { sensorId: 'Z\u00e4hler 1', modality: '1234.50', eventTimeMs: Date.UTC(2023, 5, 30, 22, 15) },
    ]);
  });

  test('whose header does not fit the mapping is refused with what the header is', async () => {
    await put('a.csv', 'zeit;A\n');
    await expect(open({ files: [wide('a.csv')] })).rejects.toThrow(/no column "time".*zeit;A/);
    await put('a.csv', 'time,A,A\n');
    await expect(open({ files: [wide('a.csv')] })).rejects.toThrow(/both be the sensor A/);
    await put('a.csv', '');
    await expect(open({ files: [wide('a.csv')] })).rejects.toThrow(/no header/);
    await expect(open({ files: [wide('none.csv')] })).rejects.toMatchObject({ code: 'source-unavailable' });
  });
});

describe('a long table', () => {
  test('gives a reading for each row', async () => {
    await put('a.csv', 'sensor,when,value,unit\n6,1704067200.125,421,MW\nfeeder-7,1704067201,"1.0",kV\n');
    const opened = await open({
      files: [
        {
          ...{ layout: 'long', path: 'a.csv', sensorColumn: 'sensor', valueColumn: 'value', unitColumn: 'unit' },
          time: { column: 'when', format: 'epoch-seconds' },
          aspect: 'edge_prediction',
        },
      ],
    });
    expect((await drain(opened)).readings).toMatchObject([
      { sensorId: '6', modality: '421', unit: 'MW', createdAt: '1704067200.125', aspect: 'edge_prediction' },
      { sensorId: 'feeder-7', modality: '1.0', unit: 'kV', createdAt: '1704067201' },
    ]);
  });
});

test('what cannot be a reading is kept as a line of text that says file, row, column, code and fault', async () => {
  const lines = [
    'time,A,B',
    '2024-01-01T00:00Z,1,x',
    'yesterday,1,2',
    '2024-01-01T00:15Z,1',
    '2024-01-01T00:30Z,"1,2',
    '2124-01-01T00:30Z,1,2',
    '',
    '2024-01-01T00:45Z,3,4',
  ];
  await put('a.csv', lines.join('\n'));
  const { readings, text } = await drain(await open({ files: [wide('a.csv')] }));
  expect(readings.map(({ modality }) => modality)).toEqual(['1', '3', '4']);
  const columns = text.map(({ value }) => (value ?? '').toString().split('\t'));
  expect(columns.map(([file, row, column, code]) => [file, row, column, code])).toEqual([
    ['a.csv', '2', 'B', 'malformed-source-data'],
    ['a.csv', '3', 'time', 'malformed-source-data'],
    ['a.csv', '4', '', 'malformed-source-data'],
    ['a.csv', '5', '', 'malformed-source-data'],
    ['a.csv', '6', 'time', 'malformed-source-data'],
  ]);
  expect(columns.map((parts) => parts.at(-1))).toEqual(['2024-01-01T00:00Z,x', lines[2], lines[3], lines[4], lines[5]]);
  expect(text[0]?.headers).toMatchObject({
    'error-code': 'malformed-source-data',
    'source-row': '2',
    'source-column': 'B',
  });
});

test('several files, plain and compressed, are merged by time', async () => {
  const rows = (minutes: readonly number[], name: string) =>
    `time,${name}\n${minutes.map((minute) => `2024-01-01T00:${String(minute).padStart(2, '0')}Z,${minute}`).join('\n')}\n`;
  await put('a.csv', rows([0, 3, 6, 9], 'A'));
  await put('b.csv.gz', gzipSync(rows([1, 3, 30], 'B')));
  await put('c.csv', rows([2], 'C'));
  const opened = await open({ files: [wide('a.csv'), wide('b.csv.gz'), wide('c.csv')] });
  const { readings } = await drain(opened);
  expect(readings.map(({ modality }) => Number(modality))).toEqual([0, 1, 2, 3, 3, 6, 9, 30]);
});

test('nothing is taken before it is due, and the source says when that is', async () => {
  await put('a.csv', 'time,A\n2024-01-01T00:00Z,1\n2024-01-01T00:15Z,2\n');
  const opened = await open({ files: [wide('a.csv')] }, { speed: 900 });
  const first = Date.UTC(2024, 0, 1);
  expect(opened.startMs).toBe(first);
  expect((await drain(opened, first)).readings).toHaveLength(1);
  expect(await opened.source.take(first + 1, 10)).toEqual({ kind: 'not-yet', dueMs: first + 900_000 });
});

test('only rows of the range asked for are replayed', async () => {
  await put('a.csv', 'time,A\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n');
  const opened = await open({ files: [wide('a.csv')] }, { fromMs: Date.UTC(2024, 0, 2), toMs: Date.UTC(2024, 0, 3) });
  expect((await drain(opened)).readings.map(({ modality }) => modality)).toEqual(['2']);
});

describe('shifted time stamps', () => {
  const content = 'time,A\n1704067200.125,1\n1704067260.5,2\n1704067320,3\n';
  const files = [wide('a.csv', { time: { column: 'time', format: 'epoch-seconds' } })];
  const times = (taken: Taken) => taken.readings.map(({ createdAt }) => createdAt);

  test('start now at true speed, with their spacing kept to the last digit', async () => {
    await put('a.csv', content);
    const shift = Math.ceil(NOW_MS / 1_000 - 1_704_067_200.125);
    expect(times(await drain(await open({ files }, { timestamps: 'shifted', speed: 1 })))).toEqual(
      ['1704067200.125', '1704067260.5', '1704067320'].map((text) =>
        text.replace(/^\d+/, (whole) => String(Number(whole) + shift)),
      ),
    );
  });

  test('end when the replay will have ended at a higher speed, so that none runs ahead of the clock', async () => {
    await put('a.csv', content);
    const { readings } = await drain(await open({ files }, { timestamps: 'shifted', speed: 60 }));
    const last = readings.at(-1)?.eventTimeMs ?? 0;
    expect(last).toBeLessThanOrEqual(NOW_MS + 120_000 / 60);
    expect(last).toBeGreaterThan(NOW_MS);
  });

  test('cannot run in a loop faster than the clock', async () => {
    await put('a.csv', content);
    await expect(open({ files }, { timestamps: 'shifted', speed: 2, loop: true })).rejects.toThrow('FILE_SOURCE_SPEED');
  });

  test('go on in a loop with the spacing of the rows between its passes', async () => {
    await put('a.csv', 'time,A\n2024-01-01T00:00Z,1\n2024-01-01T00:15Z,2\n');
    const opened = await open({ files: [wide('a.csv')] }, { timestamps: 'shifted', speed: 1, loop: true });
    const { readings } = await drain(opened, NOW_MS + 3_000_000, 1, 5);
    const steps = readings.slice(1).map(({ eventTimeMs }, index) => eventTimeMs - (readings[index]?.eventTimeMs ?? 0));
    expect(steps).toEqual([900_000, 900_000, 900_000]);
    expect(new Set(readings.map(({ correlationId }) => correlationId)).size).toBe(4);
    await opened.source.close();
  });
});

test('a loop of original time stamps repeats the very same records', async () => {
  await put('a.csv', 'time,A\n2024-01-01,1\n2024-01-02,2\n');
  const opened = await open({ files: [wide('a.csv')] }, { loop: true });
  const { records } = await drain(opened, Infinity, 1, 8);
  expect(records.slice(2, 4)).toEqual(records.slice(0, 2));
  await opened.source.close();
});

describe('the position', () => {
  const rows = Array.from({ length: 40 }, (_row, index) => `${1_704_067_200 + index * 60},${index},${index}.5`);
  const content = `time,A,B\n${rows.join('\n')}\n`;
  const files = ['a.csv', 'b.csv', 'c.csv.gz'].map((path) =>
    wide(path, { id: '{file}.{column}', time: { column: 'time', format: 'epoch-seconds' } }),
  );
  const state = () => join(directory, 'state', 'position.json');
  const fill = async () => {
    await put('a.csv', content);
    await put('b.csv', content);
    await put('c.csv.gz', gzipSync(content));
  };

  test('lets a restart go on behind what was acknowledged, with the same ids for what comes twice', async () => {
    await fill();
    const whole = await drain(await open({ files }));
    expect(whole.records).toHaveLength(240);
    for (const batches of [0, 1, 7, 19, 40]) {
      await rm(state(), { force: true });
      const first = await open({ files }, { stateFile: state() });
      const before = await drain(first, Infinity, 5, batches);
      // Handed out, never acknowledged.
      await first.source.take(Infinity, 5);
      await first.source.close();
      const second = await open({ files }, { stateFile: state() });
      const after = await drain(second);
      await second.source.close();
      expect([...before.records, ...after.records].map(({ value }) => value)).toEqual(
        whole.records.map(({ value }) => value),
      );
    }
  });

  test('keeps the shift, so that what comes twice has the same event times', async () => {
    await fill();
    const options = { stateFile: state(), timestamps: 'shifted', speed: 1 } as const;
    const first = await open({ files }, options);
    const before = await drain(first, Infinity, 10, 3);
    await first.source.close();
    const restarted = await open({ files }, { ...options, now: () => NOW_MS + 600_000 });
    expect(restarted.startMs).toBe(NOW_MS + 600_000);
    expect(restarted.fromMs).toBeLessThan(restarted.startMs);
    const after = await drain(restarted);
    const readings = [...before.readings, ...after.readings];
    expect(readings).toHaveLength(240);
    expect((readings.at(-1)?.eventTimeMs ?? 0) - (readings[0]?.eventTimeMs ?? 0)).toBe(39 * 60_000);
  });

  test('of a finished replay says so, and nothing is sent again', async () => {
    await fill();
    const first = await open({ files }, { stateFile: state() });
    await drain(first);
    await first.source.close();
    expect(JSON.parse(await readFile(state(), 'utf8'))).toMatchObject({ complete: true });
    expect(await (await open({ files }, { stateFile: state() })).source.take(Infinity, 10)).toEqual({
      kind: 'finished',
    });
  });

  test('of another data set, of other time stamps, of a changed file or of no JSON is refused', async () => {
    await fill();
    const first = await open({ files }, { stateFile: state() });
    await drain(first, Infinity, 10, 3);
    await first.source.close();
    await expect(open({ files, dataset: 'other' }, { stateFile: state() })).rejects.toThrow('data set test');
    await expect(open({ files }, { stateFile: state(), timestamps: 'shifted' })).rejects.toThrow('original');
    await put('a.csv', content.replace('A,B', 'A,C'));
    await expect(open({ files }, { stateFile: state() })).rejects.toThrow('header');
    await put('a.csv', content.slice(0, 10));
    await expect(open({ files }, { stateFile: state() })).rejects.toThrow('shorter');
    await writeFile(state(), 'half a fi');
    await expect(open({ files }, { stateFile: state() })).rejects.toMatchObject({ code: 'invalid-configuration' });
  });

  test('is not that of the end when a file broke off: the error is told and the rest is read again later', async () => {
    await fill();
    const noise = Array.from(
      { length: 60_000 },
      (_row, index) => `${1_704_067_200 + index},${(index * 7_919) % 10_007}`,
    );
    const whole = gzipSync(`time,A\n${noise.join('\n')}\n`);
    await put('c.csv.gz', whole.subarray(0, whole.length / 2));
    const broken = [wide('c.csv.gz', { time: { column: 'time', format: 'epoch-seconds' } })];
    const opened = await open({ files: broken }, { stateFile: state() });
    const { readings } = await drain(opened, Infinity, 5_000);
    expect(readings.length).toBeGreaterThan(1_000);
    await expect(opened.source.close()).rejects.toMatchObject({ code: 'malformed-source-data' });
    await put('c.csv.gz', whole);
    const rest = await drain(await open({ files: broken }, { stateFile: state() }), Infinity, 5_000);
    expect(readings.length + rest.readings.length).toBe(60_000);
  });
});
