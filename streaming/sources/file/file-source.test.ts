import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { drain, NOW_MS, open, put, wide, type Taken, useFileBed } from '../../../test/sources/file-bed.ts';

useFileBed();

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
  await put('a.csv', `${lines.join('\n')}\n`);
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
