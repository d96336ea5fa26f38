import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import iconv from 'iconv-lite';
import { afterAll, describe, expect, test } from 'vitest';
import { telemetryFacts } from '../../../grid/legacy/telemetry-facts.ts';
import { examine } from './examine.ts';
import type { Identification } from './identifier.ts';
import { openIdentifier } from './isolation/isolated-identifier.ts';
import { telemetryRow, type TelemetryRow } from './telemetry-rows.ts';

const directory = mkdtempSync(join(tmpdir(), 'examine-'));
const budget = { depth: 3, bytes: 1 << 20, entries: 100 };
let files = 0;
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function written(content: Buffer | string): { readonly path: string; readonly workDirectory: string } {
  const path = join(directory, `file-${files++}`);
  writeFileSync(path, content);
  return { path, workDirectory: mkdtempSync(join(directory, 'work-')) };
}

type Identified = Extract<Identification, { state: 'identified' }>;

async function look(content: Buffer | string, name?: string, outputBytes = 1 << 26): Promise<Identified> {
  const answer = await examine({ ...written(content), budget, outputBytes, ...(name === undefined ? {} : { name }) });
  if (answer.state !== 'identified') throw new Error(answer.detail);
  return answer;
}

function rowsOf({ telemetryPath }: Identified): readonly TelemetryRow[] {
  const lines = readFileSync(telemetryPath ?? '', 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => telemetryRow.parse(JSON.parse(line)));
}

/** Rows from `from` on, a quarter of an hour apart. */
const quarters = (count: number, row: (time: string, index: number) => string): string =>
  Array.from({ length: count }, (_, index) =>
    row(new Date(Date.UTC(2019, 2, 31) + index * 900_000).toISOString(), index),
  ).join('\n');

describe('readings of a telemetry table', () => {
  test('keep their digits: decimal commas become points, and nothing is rounded', async () => {
    const table = `Zeit (UTC);P [MW]\n31.03.2019 00:00:00,125;0001,50\n31.03.2019 00:15:00,250;-3,141592653589793238\n31.03.2019 00:30:00;1.234,5\n31.03.2019 00:45:00;2E3\n`;
    const answer = await look(table, 'UW Nord.csv');
    expect(answer.verdict).toMatchObject({ class: 'telemetry', facts: { dialect: { delimiter: ';', decimal: ',' } } });
    expect(rowsOf(answer)).toEqual(
      [
        ['1553990400.125', '1.50'],
        ['1553991300.25', '-3.141592653589793238'],
        ['1553992200', '1234.5'],
        ['1553993100', '2E3'],
      ].map(([eventTime, value], row) => ({
        row,
        column: 1,
        sensorId: 'UW Nord',
        eventTime,
        value,
        unit: 'MW',
        aspect: 'real_time',
      })),
    );
    expect(telemetryFacts.parse(answer.verdict.facts['telemetry'])).toMatchObject({
      zone: 'utc',
      fileSensor: { id: 'UW Nord', from: 'the name of the file' },
    });
  });

  test('are of the sensor that a column names, in the unit that another does', async () => {
    const answer = await look(
      `sensor_id,timestamp,value,unit\n${quarters(9, (time, index) => `S${index % 3},${time},${index}.5,kV`)}\n`,
    );
    expect(rowsOf(answer)[4]).toEqual({
      row: 4,
      column: 2,
      sensorId: 'S1',
      eventTime: '1553994000',
      value: '4.5',
      unit: 'kV',
      aspect: 'real_time',
    });
    expect(answer.verdict.facts).toMatchObject({ telemetry: { layout: 'long', sensors: 3, zone: 'in-text' } });
  });

  test('are of a column each, under the sensor that the lines before the table name', async () => {
    const table = `# Sensor: T4711\n# by hand\ntime,U,I\n,kV,A\n${quarters(5, (time, index) => `${time},110.${index},${index}`)}\nSum,1,2\n`;
    const answer = await look(table);
    expect(
      rowsOf(answer)
        .slice(0, 2)
        .map(({ sensorId, unit }) => `${sensorId} in ${unit}`),
    ).toEqual(['T4711.U in kV', 'T4711.I in A']);
    expect(answer.verdict.facts).toMatchObject({
      dialect: { preambleLines: 2, headerRows: 2, footerRows: 1 },
      telemetry: { readings: 10, unreadable: 1 },
    });
  });

  test('of figures, of two columns, and of offsets have their moments', async () => {
    const moments = async (lines: string): Promise<readonly string[]> =>
      rowsOf(await look(lines)).map(({ eventTime }) => eventTime);
    const three = (times: readonly string[]): string =>
      `timestamp;P [kW]\n${times.map((time, index) => `${time};${index}.5`).join('\n')}\n`;
    expect(await moments(three(['20190331000000', '20190331001500', '20190331003000']))).toEqual([
      '1553990400',
      '1553991300',
      '1553992200',
    ]);
    expect(await moments(three(['1553990400123', '1553991300123', '1553992200123']))).toEqual([
      '1553990400.123',
      '1553991300.123',
      '1553992200.123',
    ]);
    expect(
      await moments(three(['2019-03-31T02:00:00+02:00', '2019-03-31T02:15:00+02:00', '2019-03-31T02:30:00+02:00'])),
    ).toEqual(['1553990400', '1553991300', '1553992200']);
    expect(
      await moments(`Date;Time;P [kW]\n3/31/2019;12:00 AM;1.5\n3/31/2019;12:15 AM;1.5\n3/31/2019;12:30 AM;2.5\n`),
    ).toEqual(['1553990400', '1553991300', '1553992200']);
    // 24:00 is the end of a day.
    expect(
      await moments(`Datum;Zeit;P [kW]\n30.03.2019;23:30;1,5\n30.03.2019;23:45;1,5\n30.03.2019;24:00;2,5\n`),
    ).toEqual(['1553988600', '1553989500', '1553990400']);
  });

  test('of which day and month cannot be told apart are no telemetry', async () => {
    const days = ['03/04/2019', '03/04/2019', '03/04/2019']
      .map((day, index) => `${day} 0${index}:00;${index},5`)
      .join('\n');
    const answer = await look(`Time;P [kW]\n${days}\n`);
    expect([answer.verdict.class, answer.telemetryPath]).toEqual(['table', undefined]);
  });

  test('tell how good they are', async () => {
    const at = (minutes: number): string => new Date(Date.UTC(2020, 0, 1) + minutes * 60_000).toISOString();
    const values = Array.from(
      { length: 60 },
      (_, index) => `${at(index)},${index === 50 ? 99_999 : 10 + (index % 7)}.5`,
    );
    // A gap, a reading twice, one late, and a value that hangs.
    values.splice(20, 3);
    values.push(
      `${at(59)},11.5`,
      `${at(30)},11.5`,
      ...Array.from({ length: 15 }, (_, index) => `${at(60 + index)},7.5`),
      `${at(75)},`,
    );
    const answer = await look(`time,P [kW]\n${values.join('\n')}\n`);
    expect(telemetryFacts.parse(answer.verdict.facts['telemetry'])).toMatchObject({
      stepSeconds: 60,
      quality: { gaps: 1, duplicates: 1, nonMonotonic: 1, stuck: 5, outliers: 1, missing: 1 },
    });
  });

  test('without a zone say so', async () => {
    const answer = await look(`time,P [kW]\n${quarters(4, (time) => `${time.slice(0, 19)},1.5`)}\n`);
    expect(answer.verdict.facts).toMatchObject({ telemetry: { zone: 'unknown' } });
    expect(answer.verdict.warnings).toContain('its times name no zone and were taken for UTC');
  });

  test('that do not fit are left out, and that is told', async () => {
    const answer = await look(
      `time,P [kW]\n${quarters(9_000, (time, index) => `${time},${index}.5`)}\n`,
      undefined,
      600_000,
    );
    expect(answer.verdict.facts).toMatchObject({ telemetry: { isTruncated: true } });
  });
});

test('the same text in another charset, with other line ends, has the same key', async () => {
  const text = 'Größe und Höhe der Türme, geprüft am Montag.\nÜber die Brücke führen drei Wege für Fußgänger.\n';
  const keys = await Promise.all(
    [
      Buffer.from(text),
      Buffer.from(`\ufeff${text}`),
      iconv.encode(text.replaceAll('\n', '\r\n'), 'windows1252'),
      iconv.encode(text.replaceAll('\n', '\r'), 'macintosh'),
      iconv.encode(text, 'cp850'),
      iconv.encode(text.trimEnd(), 'utf-16le', { addBOM: true }),
    ].map(async (bytes) => (await look(bytes)).contentKey),
  );
  expect(keys.map((key) => keys.indexOf(key))).toEqual([0, 0, 0, 0, 0, 0]);
  expect((await look(`${text}.`)).contentKey).not.toBe(keys[0]);
  const latin = await look(iconv.encode(text.replaceAll('\n', '\r\n'), 'windows1252'));
  expect(readFileSync(latin.textPath ?? '', 'utf8')).toBe(text);
});

test('a name that lies is contradicted, and does not decide', async () => {
  const answer = await look(
    'The relay was replaced on Monday. It is the one that had failed before.\nThe line was out for an hour, and it is now in service.\n',
    'image.png',
  );
  expect(answer.verdict).toMatchObject({
    class: 'document',
    warnings: ['its name ends in .png, as of image, but its content is document'],
  });
});

test('a file that cannot be read, or is gone, or is none is set aside', async () => {
  const ask = (path: string): Promise<Identification> =>
    examine({ path, workDirectory: directory, budget, outputBytes: 0 });
  expect(await ask(join(directory, 'none'))).toMatchObject({ state: 'quarantined', reason: 'changed' });
  expect(await ask(directory)).toMatchObject({ state: 'quarantined', reason: 'unreadable' });
  const { path } = written('x');
  chmodSync(path, 0);
  // To root nothing is forbidden.
  if (process.getuid?.() !== 0) expect(await ask(path)).toMatchObject({ reason: 'unreadable' });
});

test('a file that grows while it is read is set aside', async () => {
  const { path, workDirectory } = written(Buffer.alloc(70_000, 'The line was out for an hour.\n'));
  const looking = examine({ path, workDirectory, budget, outputBytes: 1 << 20 });
  // Its beginning has been read by now, its end has not been.
  appendFileSync(path, 'more');
  expect(await looking).toMatchObject({ state: 'quarantined', reason: 'changed' });
});

test('nothing at the source is changed by a look from a child process', async () => {
  const identifier = openIdentifier({ children: 1 });
  try {
    const { path, workDirectory } = written(`time,P [kW]\n${quarters(4, (time) => `${time},1.5`)}\n`);
    const before = statSync(path);
    const answer = await identifier.identify(
      { path, name: undefined, workDirectory, budget },
      new AbortController().signal,
    );
    expect(answer).toMatchObject({ state: 'identified', verdict: { class: 'telemetry' } });
    const after = statSync(path);
    expect([after.mtimeMs, after.ctimeMs, after.atimeMs]).toEqual([before.mtimeMs, before.ctimeMs, before.atimeMs]);
  } finally {
    await identifier.close();
  }
});
