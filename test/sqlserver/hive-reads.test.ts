import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { hiveRow } from '../../grid/history/hive-text.ts';
import { loadConfig } from '../../runtime/config.ts';

/** Hive type, and texts as SQL Server writes them; Hive reads each as what stands beside it, by default the text itself. */
const READ: readonly (readonly [
  hiveType: string,
  values: readonly (readonly [text: string | null, read?: string | null])[],
])[] = [
  ['BOOLEAN', [['true'], ['false'], [null]]],
  ['SMALLINT', [['255'], ['-32768']]],
  ['INT', [['-2147483648']]],
  ['BIGINT', [['-9223372036854775808'], ['9007199254740993']]],
  ['DECIMAL(38,0)', [['99999999999999999999999999999999999999'], ['-99999999999999999999999999999999999999']]],
  ['DECIMAL(38,10)', [['1234567890123456789012345678.0123456789'], ['-0.0000000001']]],
  ['DECIMAL(38,38)', [['0.00000000000000000000000000000000000001'], ['-0.99999999999999999999999999999999999999']]],
  ['DECIMAL(19,4)', [['922337203685477.5807'], ['-922337203685477.5808'], ['0.0001']]],
  ['DECIMAL(10,4)', [['-214748.3648']]],
  ['DATE', [['0001-01-01'], ['1582-10-10'], ['2024-02-29'], ['9999-12-31']]],
  [
    'TIMESTAMP',
    [
      ['1753-01-01 00:00:00.000', '1753-01-01 00:00:00'],
      ['9999-12-31 23:59:59.997'],
      ['0001-01-01 00:00:00.0000000', '0001-01-01 00:00:00'],
      ['2024-02-29 23:59:59.1234567'],
      ['9999-12-31 23:59:59.9999999'],
      ['2024-02-29 23:59:59'],
    ],
  ],
  ['STRING', [['a\tb\nc\rd\\e \\N \\t 😀 𠀀'], [''], ['\\N'], ['a\0b'], ['2024-02-29T23:59:59.1234567+05:30'], [null]]],
  // Hive shows what the base64 stands for, byte by byte.
  ['BINARY', [['3q2+7w==', 'DEADBEEF'], ['AA==', '00'], ['', ''], [null]]],
];

/** Every digit counts: read as the very number that SQL Server wrote. */
const DOUBLES = [
  '1.7976931348623157e+308',
  '-1.7976931348623157e+308',
  '2.2250738585072014e-308',
  '1.0000000000000001e-001',
  '3.3333333333333331e-001',
  '9.0071992547409920e+015',
  '0.0000000000000000e+000',
  '5.0000000000000000e-001',
  '8.4103260276300005e+021',
  '1.2345678901234567e-005',
];
const FLOATS = ['3.4028234663852886e+038', '1.1754943508222875e-038', '1.0000000149011612e-001', '1.6777216e+007'];

describe('what SQL Server writes', () => {
  const { WEBHDFS_URL, HDFS_USER, HIVE_URL } = loadConfig();
  const name = `test_sqlserver_${randomUUID().slice(0, 8)}`;
  const directory = `/${name}`;
  const hdfs = new HdfsClient({
    nameNodeUrls: WEBHDFS_URL,
    user: HDFS_USER,
    callTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
  });
  const hive = new HiveClient({
    url: HIVE_URL,
    user: HDFS_USER,
    callTimeoutMs: 240_000,
    logger: pino({ level: 'silent' }),
  });

  beforeAll(async () => {
    await hive.execute(`CREATE DATABASE ${name}`);
  });
  afterAll(async () => {
    await hive.execute(`DROP DATABASE IF EXISTS ${name} CASCADE`);
    await hdfs.delete(directory, { recursive: true });
    await Promise.all([hive.close(), hdfs.close()]);
  });

  /** A column for each list of texts, read back; shorter lists are filled up with NULL. */
  async function readBack(
    columns: readonly {
      readonly hiveType: string;
      readonly selected?: string;
      readonly texts: readonly (string | null)[];
    }[],
  ): Promise<(string | null)[][]> {
    const table = `t_${randomUUID().slice(0, 8)}`;
    const rows = Math.max(...columns.map(({ texts }) => texts.length));
    const lines = Array.from({ length: rows }, (_, at) =>
      hiveRow([String(at), ...columns.map(({ texts }) => texts[at] ?? null)]),
    );
    await hdfs.makeDirectory(`${directory}/${table}`);
    await hdfs.writeFile(`${directory}/${table}/part-00000.tsv`, Buffer.from(`${lines.join('\n')}\n`));
    await hive.execute(
      `CREATE EXTERNAL TABLE ${name}.${table} (n INT, ${columns.map(({ hiveType }, at) => `c${at} ${hiveType}`).join(', ')})
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
WITH SERDEPROPERTIES (${String.raw`'field.delim'='\t', 'escape.delim'='\\', 'serialization.escape.crlf'='true', 'serialization.null.format'='\\N'`})
STORED AS TEXTFILE LOCATION '${directory}/${table}'`,
    );
    const selected = columns.map(({ selected: expression }, at) => (expression ?? '?').replaceAll('?', `c${at}`));
    const read = await hive.rows(`SELECT n, ${selected.join(', ')} FROM ${name}.${table}`);
    const sorted = read.sort((a, b) => Number(a[0]) - Number(b[0]));
    return columns.map(({ texts }, at) => texts.map((_, row) => sorted[row]?.[at + 1] ?? null));
  }

  it('is what Hive reads, type by type', async () => {
    const read = await readBack(
      READ.map(([hiveType, values]) => ({
        hiveType,
        texts: values.map(([text]) => text),
        ...(hiveType === 'BINARY' ? { selected: 'hex(?)' } : {}),
      })),
    );
    const expected = READ.map(([, values]) => values.map(([text, other]) => (other === undefined ? text : other)));
    expect(read).toEqual(expected);
  });

  it('is read to the last bit where it is a floating-point number', async () => {
    const [doubles = [], floats = []] = await readBack([
      { hiveType: 'DOUBLE', texts: DOUBLES },
      { hiveType: 'FLOAT', texts: FLOATS },
    ]);
    expect(doubles.map(Number)).toEqual(DOUBLES.map(Number));
    expect(floats.map((text) => Math.fround(Number(text)))).toEqual(FLOATS.map((text) => Math.fround(Number(text))));
  });
});
