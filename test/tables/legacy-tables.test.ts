import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { telemetryLines, textLines } from '../../activities/discovery/landing/bundle-lines.ts';
import { ensureLegacyTables } from '../../activities/tables/legacy-tables.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import type { TablesResult } from '../../workflows/tables/contract.ts';
import { DiscoveryBed, sha256 } from '../discovery/discovery-bed.ts';

const database = `test_legacy_${randomUUID().slice(0, 8)}`;
const other = `${database}_bytes`;
const bed = new DiscoveryBed();
const { HIVE_URL, HDFS_USER } = loadConfig();
const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const hive = new HiveClient({ url: HIVE_URL, user: HDFS_USER, callTimeoutMs: 300_000, logger });

beforeAll(() => {
  bed.startWorker({
    HIVE_DATABASE: database,
    HDFS_SAMPLE_TEXTS_DIRECTORY: `${bed.landing}/samples`,
    HDFS_IMPORTS_DIRECTORY: `${bed.landing}/imports`,
    HDFS_ANALYSIS_DIRECTORY: `${bed.landing}/analysis`,
  });
});
afterAll(async () => {
  for (const name of [database, other]) await hive.execute(`DROP DATABASE IF EXISTS ${name} CASCADE`);
  await hive.close();
  await bed.close();
});

const TEXTS = [
  'plain',
  '',
  '\ttab\t',
  '\\',
  '\\\\',
  '\\N',
  'C:\\new\\table\\readme',
  'cr\r',
  'a\rb',
  '\\t \\n \\r',
  'NULL',
  'ü😀\u2028',
  '\' " ,',
  ' ',
];

async function bytesOf(lines: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of lines) chunks.push(chunk);
  return Buffer.concat(chunks);
}

it('what discovery lands comes back byte for byte, beside numbers and times', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'legacy-tables-'));
  const unorganizedDirectory = `${bed.landing}/bytes`;
  const content = 'b'.repeat(64);
  const readings = TEXTS.filter((text) => text !== '').map((sensorId, row) => ({
    ...{
      row,
      column: 2,
      sensorId: `${sensorId}\n${sensorId}`,
      eventTime: '1e9',
      value: '-1.5E-3',
      aspect: 'edge_prediction',
    },
    unit: row % 2 === 0 ? '' : sensorId,
  }));
  const numbers = [
    [
      '0',
      '12345678901234567890.000000000000000001',
      '1970-01-01 00:00:00',
      '0',
      '12345678901234567890.000000000000000001',
    ],
    ['-0.5', '0.1234567890123456789', '1969-12-31 23:59:59.5', '-500', null],
    ['253402300800', '1e400', null, null, null],
  ] as const;
  const typed = numbers.map(([eventTime, value], at) => ({
    ...{ row: 1_000 + at, column: 0, sensorId: 'typed', eventTime, value, unit: 'V', aspect: 'real_time' },
  }));
  try {
    const path = join(directory, 'rows.jsonl');
    await writeFile(path, [...readings, ...typed].map((row) => `${JSON.stringify(row)}\n`).join(''));
    const text = Buffer.from(`${TEXTS.join('\n')}\n`);
    const chunks = async function* (): AsyncGenerator<Buffer> {
      // In small pieces, as a stream may bring them.
      for (let at = 0; at < text.length; at += 3) yield await Promise.resolve(text.subarray(at, at + 3));
    };
    const put = (name: string, bytes: Buffer) =>
      bed.hdfs.writeFile(`${unorganizedDirectory}/${name}`, bytes, { createParent: true });
    await put('text/unit-000001.tsv', await bytesOf(textLines(content, chunks())));
    await put('telemetry-rows/unit-000001.tsv', await bytesOf(telemetryLines(content, path)));
  } finally {
    await rm(directory, { recursive: true });
  }
  const deps = { hdfs: bed.hdfs, hive, database: other, unorganizedDirectory };
  const unused = { analysisDirectory: '', sampleTextsDirectory: '', importsDirectory: '', hiveDatabasePrefix: '' };
  const made = await ensureLegacyTables({ ...deps, ...unused }, new AbortController().signal);
  expect(made.map(({ outcome }) => outcome)).toEqual(['created', 'created']);

  const texts = await hive.rows(`SELECT line, text, content FROM ${other}.text_legacy`);
  expect(texts).toEqual(TEXTS.map((line, at) => [String(at + 1), line, content]));
  const given = await hive.rows(
    `SELECT row_index, sensor_id, unit, value_text, value, created_at, event_time, aspect, column_index FROM ${other}.telemetry_legacy WHERE row_index < 1000`,
  );
  expect(given).toEqual(
    readings.map(({ row, sensorId, unit }) => [
      ...[String(row), sensorId, unit, '-1.5E-3', '-0.001500000000000000', '1e9', '2001-09-09 01:46:40'],
      ...['edge_prediction', '2'],
    ]),
  );
  const columns = 'created_at, value_text, event_time, event_ms, value';
  expect(await hive.rows(`SELECT ${columns} FROM ${other}.telemetry_legacy WHERE sensor_id = 'typed'`)).toEqual(
    numbers,
  );
  const described = await hive.rows(`DESCRIBE ${other}.telemetry_legacy`);
  expect(described.map(([name, type]) => `${name ?? ''} ${type ?? ''}`)).toEqual([
    ...['content string', 'row_index bigint', 'column_index int', 'sensor_id string', 'aspect string', 'unit string'],
    ...['value_text string', 'value decimal(38,18)', 'event_time timestamp', 'event_ms bigint', 'created_at string'],
    'event_day string',
  ]);
});

it('what a discovery has found is found by SQL', async () => {
  const note = 'Switching order 17:\tbay\\7 is closed.\nThe second line.\n';
  await bed.put('notes/order.txt', note);
  const rows = Array.from({ length: 60 }, (_, row) => {
    const at = new Date(Date.UTC(2016, 2, 1, 0, 0, row)).toISOString().slice(0, 19);
    return `${at}Z,feeder-${row % 3},${row + 100}.50,MW`;
  });
  const table = `timestamp,sensor_id,value,unit\n${rows.join('\n')}\n`;
  await bed.put('1998/readings.csv', table);
  expect(await bed.crawl()).toMatchObject({ landed: 2, conserved: true });
  const { tables } = await bed.run<TablesResult>('buildHiveTables', {});
  expect(Object.fromEntries(tables.map(({ name, outcome }) => [name, outcome]))).toEqual({
    [`${database}.text_files`]: 'left out',
    [`${database}.text_legacy`]: 'created',
    [`${database}.telemetry_legacy`]: 'created',
    [`${database}.readings_imported`]: 'created',
    [`${database}.readings_raw`]: 'created',
    [`${database}.readings_all`]: 'created',
    [`${database}.readings_offsets`]: 'created',
  });
  const lines = await hive.rows(
    `SELECT text FROM ${database}.text_legacy WHERE content = '${sha256(note)}' AND text LIKE '%bay%'`,
  );
  expect(lines).toEqual([['Switching order 17:\tbay\\7 is closed.']]);
  const found = await hive.rows(
    `SELECT sensor_id, value_text, value, unit, event_time FROM ${database}.telemetry_legacy WHERE content = '${sha256(table)}' AND event_ms = ${Date.UTC(2016, 2, 1, 0, 0, 7)}`,
  );
  expect(found).toEqual([['feeder-1', '107.50', '107.500000000000000000', 'MW', '2016-03-01 00:00:07']]);
});
