import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { copyAll, FULL, never, openSourceBed, type SourceBed } from './source-bed.ts';

/** A literal, and what Hive shows of it (`hex()` of a BINARY); without the second, what PostgreSQL gives as text. */
type Value = readonly [literal: string, inHive?: string | null];

interface TypeCase {
  readonly type: string;
  readonly hiveType: string;
  readonly values: readonly Value[];
  /** Statements that fail at a server which was built without the type; then there are no such columns to keep. */
  readonly needs?: string;
}

const text = (literal: string): string => `E'${literal}'`;
const CONTROLS = Array.from({ length: 31 }, (_, index) => `\\x${(index + 1).toString(16).padStart(2, '0')}`).join('');

const HARD_TEXTS: readonly Value[] = [
  [`''`],
  [text('\\\\')],
  [text('\\\\\\\\n')],
  [text('\\\\N')],
  [text('\\t')],
  [text('a\\tb\\\\tc')],
  [text('\\n')],
  [text('line\\nline\\r\\nline\\r')],
  [text('\\r')],
  [text(CONTROLS)],
  [text('😀 ünïcödé 中文 \\u2028 \\u0085 \\ufeff')],
  [`'  spaces  '`],
  [`'NULL'`],
  [`'"quoted", ''single'''`],
  [`repeat('0123456789abcde' || chr(9), 65536)`],
];

/** Type, Hive's type, literals. Every built-in type that a column can have, and some of extensions. */
const CASES: readonly TypeCase[] = [
  {
    type: 'boolean',
    hiveType: 'BOOLEAN',
    values: [
      ['true', 'TRUE'],
      ['false', 'FALSE'],
    ],
  },
  { type: 'smallint', hiveType: 'SMALLINT', values: [['-32768'], ['32767'], ['0']] },
  { type: 'integer', hiveType: 'INT', values: [['-2147483648'], ['2147483647']] },
  {
    type: 'bigint',
    hiveType: 'BIGINT',
    values: [['-9223372036854775808'], ['9223372036854775807'], ['9007199254740993']],
  },
  { type: 'oid', hiveType: 'BIGINT', values: [['4294967295'], ['0']] },
  {
    type: 'real',
    hiveType: 'FLOAT',
    values: [
      ...[
        `'NaN'`,
        `'Infinity'`,
        `'-Infinity'`,
        `'-0'`,
        '3.4028235e38',
        '1e-45',
        '0.1',
        '16777217',
        '1.17549435e-38',
      ].map((literal): Value => [literal]),
    ],
  },
  {
    type: 'double precision',
    hiveType: 'DOUBLE',
    values: [
      ...[`'NaN'`, `'Infinity'`, `'-Infinity'`, `'-0'`, '1.7976931348623157e308', '5e-324', '2.2250738585072014e-308'],
      ...['0.1', '0.30000000000000004', '9007199254740993', '123456789.12345678', '1e22', '-1e-7'],
    ].map((literal): Value => [literal]),
  },
  { type: 'numeric(38,0)', hiveType: 'DECIMAL(38,0)', values: [['99999999999999999999999999999999999999'], ['-1']] },
  {
    type: 'numeric(38,38)',
    hiveType: 'DECIMAL(38,38)',
    values: [['0.99999999999999999999999999999999999999'], ['-0.00000000000000000000000000000000000001']],
  },
  { type: 'numeric(12,4)', hiveType: 'DECIMAL(12,4)', values: [['12345678.9012'], ['0.1', '0.1000'], ['-0.0001']] },
  { type: 'numeric(39,2)', hiveType: 'STRING', values: [['1234567890123456789012345678901234567.89'], [`'NaN'`]] },
  { type: 'numeric', hiveType: 'STRING', values: [['1e-30'], ['1.50'], [`'Infinity'`], [`'NaN'`], ['12e200']] },
  { type: 'numeric(3,5)', hiveType: 'STRING', values: [['0.00123']] },
  { type: 'numeric(3,-2)', hiveType: 'STRING', values: [['12345']] },
  {
    type: 'money',
    hiveType: 'DECIMAL(19,2)',
    values: [
      ['92233720368547758.07', '92233720368547758.07'],
      ['-0.01', '-0.01'],
      [`'-92233720368547758.08'`, '-92233720368547758.08'],
    ],
  },
  {
    type: 'date',
    hiveType: 'DATE',
    values: [[`'0001-01-01'`], [`'9999-12-31'`], [`'1582-10-10'`], [`'1900-02-28'`], [`'2000-02-29'`]],
  },
  {
    type: 'timestamp',
    hiveType: 'TIMESTAMP',
    values: [
      [`'0001-01-01 00:00:00'`],
      [`'9999-12-31 23:59:59.999999'`],
      [`'2021-03-28 02:30:00'`],
      [`'1969-12-31 23:59:59.000001'`],
      [`'1582-10-10 12:00:00.5'`],
      [`'2016-12-31 23:59:60'`, '2017-01-01 00:00:00'],
    ],
  },
  {
    type: 'timestamptz',
    hiveType: 'TIMESTAMP',
    values: [
      [`'2021-03-28 02:30:00+02'`, '2021-03-28 00:30:00'],
      [`'0001-01-01 00:00:00+00'`, '0001-01-01 00:00:00'],
      [`'9999-12-31 23:59:59.999999+00'`, '9999-12-31 23:59:59.999999'],
      [`'2023-10-29 02:30:00.123456 Europe/Berlin'`, '2023-10-29 01:30:00.123456'],
      [`'1883-11-18 12:00:00 America/New_York'`, '1883-11-18 17:00:00'],
    ],
  },
  { type: 'time', hiveType: 'STRING', values: [[`'24:00:00'`], [`'00:00:00.000001'`]] },
  { type: 'timetz', hiveType: 'STRING', values: [[`'23:59:59.5+14:59'`]] },
  {
    type: 'interval',
    hiveType: 'STRING',
    values: [
      [`'1 year 2 mons -3 days 04:05:06.789'`, 'P1Y2M-3DT4H5M6.789S'],
      [`'-178000000 years'`, 'P-178000000Y'],
      [`'0'`, 'PT0S'],
    ],
  },
  {
    type: 'bytea',
    hiveType: 'BINARY',
    values: [
      [`''`, ''],
      [`'\\x00'`, '00'],
      [`'\\x5c4e090a0d'`, '5C4E090A0D'],
      [`decode(repeat('00ff', 100), 'hex')`, '00FF'.repeat(100)],
      [`'\\x616263'`, '616263'],
    ],
  },
  {
    type: 'char(5)',
    hiveType: 'STRING',
    values: [
      [`'ab'`, 'ab   '],
      [`''`, '     '],
    ],
  },
  { type: '"char"', hiveType: 'STRING', values: [[`'x'`], [`''`, '']] },
  { type: 'varchar(40)', hiveType: 'STRING', values: [[text('a\\tb')], [`''`], [`'  x '`]] },
  { type: 'text', hiveType: 'STRING', values: HARD_TEXTS },
  {
    type: 'text COLLATE nowhere_near',
    hiveType: 'STRING',
    values: [[text('a\\tB')]],
    needs: `CREATE COLLATION nowhere_near (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
  },
  { type: 'name', hiveType: 'STRING', values: [[`'some name'`]] },
  { type: 'citext', hiveType: 'STRING', values: [[text('MiXed\\t')]] },
  { type: 'json', hiveType: 'STRING', values: [[text('{"a":\\n\\t"\\\\\\\\n", "a": 1.50}')], [`'null'`]] },
  { type: 'jsonb', hiveType: 'STRING', values: [[`'{"b": "tab\\t", "a": [1.50, null]}'`]] },
  {
    type: 'xml',
    hiveType: 'STRING',
    values: [[text('<a b="c">\\n\\t&amp;</a>')], [`''`]],
    needs: `SELECT '<a/>'::xml`,
  },
  { type: 'uuid', hiveType: 'STRING', values: [[`'00000000-0000-0000-0000-0000000000ff'`]] },
  { type: 'integer[]', hiveType: 'STRING', values: [[`'{1,NULL,3}'`], [`'{}'`], [`'[0:1][1:1]={{1},{2}}'`]] },
  { type: 'text[]', hiveType: 'STRING', values: [[`ARRAY['a,b', E'\\t', 'NULL', NULL, E'\\\\', '"']`]] },
  {
    type: 'timestamptz[]',
    hiveType: 'STRING',
    values: [[`ARRAY['infinity', '2021-01-01 00:00:00+02']::timestamptz[]`, '{infinity,"2020-12-31 22:00:00+00"}']],
  },
  { type: 'mood', hiveType: 'STRING', values: [[`'sad'`], [text('very\\thappy')]] },
  { type: 'pair', hiveType: 'STRING', values: [[`ROW(1, E'a\\tb')`], [`ROW(NULL, NULL)`, '(,)'], [`ROW(0.1, '')`]] },
  { type: 'voltage', hiveType: 'DECIMAL(6,2)', values: [['230.5', '230.50']] },
  { type: 'code', hiveType: 'STRING', values: [[`'x'`, 'x  ']] },
  { type: 'int4range', hiveType: 'STRING', values: [[`'[1,5]'`], [`'empty'`], [`'(,)'`]] },
  {
    type: 'tstzrange',
    hiveType: 'STRING',
    values: [[`'[2021-01-01 00:00+02,infinity]'`, '["2020-12-31 22:00:00+00",infinity]']],
  },
  { type: 'textrange', hiveType: 'STRING', values: [[`textrange(E'a\\t', E'b\\\\')`]] },
  { type: 'nummultirange', hiveType: 'STRING', values: [[`'{[1.5,2),(3,4]}'`]] },
  {
    type: 'inet',
    hiveType: 'STRING',
    values: [
      [`'192.168.0.1'`, '192.168.0.1'],
      [`'::1/64'`, '::1/64'],
    ],
  },
  { type: 'cidr', hiveType: 'STRING', values: [[`'10.0.0.0/8'`]] },
  { type: 'macaddr', hiveType: 'STRING', values: [[`'08:00:2b:01:02:03'`]] },
  { type: 'macaddr8', hiveType: 'STRING', values: [[`'08:00:2b:01:02:03:04:05'`]] },
  { type: 'bit(5)', hiveType: 'STRING', values: [[`B'00101'`]] },
  { type: 'varbit', hiveType: 'STRING', values: [[`B''`, ''], [`B'1'`]] },
  { type: 'point', hiveType: 'STRING', values: [[`'(0.1,-1e-7)'`]] },
  { type: 'line', hiveType: 'STRING', values: [[`'{1,2,3}'`]] },
  { type: 'lseg', hiveType: 'STRING', values: [[`'[(0,0),(1,1)]'`]] },
  { type: 'box', hiveType: 'STRING', values: [[`'(1,1),(0,0)'`]] },
  { type: 'path', hiveType: 'STRING', values: [[`'((0,0),(1,1))'`]] },
  { type: 'polygon', hiveType: 'STRING', values: [[`'((0,0),(1,1))'`]] },
  { type: 'circle', hiveType: 'STRING', values: [[`'<(0,0),1.5>'`]] },
  { type: 'tsvector', hiveType: 'STRING', values: [[`$$'a\\\\b':1 'c d'$$`]] },
  { type: 'tsquery', hiveType: 'STRING', values: [[`$$'a\\\\b' & !c$$`]] },
  { type: 'pg_lsn', hiveType: 'STRING', values: [[`'FFFFFFFF/FFFFFFFF'`]] },
  { type: 'xid', hiveType: 'STRING', values: [[`'4294967295'`]] },
  { type: 'xid8', hiveType: 'STRING', values: [[`'18446744073709551615'`]] },
  { type: 'cid', hiveType: 'STRING', values: [[`'7'`]] },
  { type: 'tid', hiveType: 'STRING', values: [[`'(4294967294,65535)'`]] },
  { type: 'regclass', hiveType: 'STRING', values: [[`'pg_class'`, 'pg_class']] },
  { type: 'pg_snapshot', hiveType: 'STRING', values: [[`'10:20:11,15'`]] },
  { type: 'jsonpath', hiveType: 'STRING', values: [[`'$."a b"[*]'`]] },
  { type: 'oidvector', hiveType: 'STRING', values: [[`'1 2 3'`]] },
  { type: 'hstore', hiveType: 'STRING', values: [[`$$"a"=>"x\\\\y", "b"=>NULL$$`]] },
  { type: 'ltree', hiveType: 'STRING', values: [[`'Top.Science'`]] },
];

const SETUP = `
  CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
  CREATE TYPE mood AS ENUM ('sad', E'very\\thappy');
  CREATE TYPE pair AS (a numeric, b text);
  CREATE TYPE textrange AS RANGE (subtype = text);
  CREATE DOMAIN small_voltage AS numeric(6,2) CHECK (VALUE < 1000);
  CREATE DOMAIN voltage AS small_voltage CHECK (VALUE > 0);
  CREATE DOMAIN code AS char(3);
`;

let bed: SourceBed;
let hdfs: HdfsClient;
let hive: HiveClient;
const place = `/test-postgres-types-${randomUUID().slice(0, 8)}`;
const hiveDatabase = `test_postgres_types_${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  const { WEBHDFS_URL, HDFS_USER, HIVE_URL } = loadConfig();
  hdfs = new HdfsClient({ nameNodeUrls: WEBHDFS_URL, user: HDFS_USER });
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  hive = new HiveClient({ url: HIVE_URL, user: HDFS_USER, callTimeoutMs: 180_000, logger });
  bed = await openSourceBed();
  await bed.sql(SETUP);
  await hdfs.makeDirectory(place);
  await hive.execute(`CREATE DATABASE ${hiveDatabase} LOCATION '${place}/db'`);
});

afterAll(async () => {
  await hive.execute(`DROP DATABASE ${hiveDatabase} CASCADE`);
  await hive.close();
  await hdfs.delete(place, { recursive: true });
  await hdfs.close();
  await bed.end();
});

/** Copies a table to HDFS, lays a Hive table over it, and gives it as Hive reads it. */
async function throughHive(
  table: string,
  show: (name: string, hiveType: string) => string,
): Promise<{ readonly types: string[]; readonly rows: (string | null)[][] }> {
  const reader = await bed.reader();
  const plan = await reader.plan({ schema: 'public', name: table }, FULL, never);
  const { text: lines } = await copyAll(reader, plan);
  await reader.close();
  await hdfs.makeDirectory(`${place}/${table}`);
  const writer = await hdfs.create(`${place}/${table}/part-00000.tsv`);
  await writer.write(Buffer.from(lines));
  await writer.close();
  const columns = plan.columns.map(({ hiveType }, index) => `c${index} ${hiveType}`);
  await hive.execute(
    [
      `CREATE EXTERNAL TABLE ${hiveDatabase}.${table} (${columns.join(', ')})`,
      `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' WITH SERDEPROPERTIES (`,
      String.raw`'field.delim'='\t', 'escape.delim'='\\', 'serialization.escape.crlf'='true', 'serialization.null.format'='\\N')`,
      `STORED AS TEXTFILE LOCATION '${place}/${table}'`,
    ].join('\n'),
  );
  const shown = plan.columns.map(({ hiveType }, index) => show(`c${index}`, hiveType));
  const rows = await hive.rows(`SELECT ${shown.join(', ')} FROM ${hiveDatabase}.${table}`);
  return { types: plan.columns.map(({ hiveType }) => hiveType), rows };
}

const asString = (name: string, hiveType: string): string =>
  hiveType === 'BINARY' ? `hex(${name})` : `CAST(${name} AS STRING)`;

test('every type arrives in Hive as what PostgreSQL says it is', { timeout: 120_000 }, async () => {
  const cases: TypeCase[] = [];
  for (const candidate of CASES) {
    const has = await bed.sql(candidate.needs ?? 'SELECT 1').then(
      () => true,
      () => false,
    );
    if (has) cases.push(candidate);
  }
  const height = Math.max(...cases.map(({ values }) => values.length)) + 1;
  const columns = cases.map(({ type }, index) => `v${index} ${type}`);
  const rows = Array.from({ length: height }, (_, row) => {
    const literals = cases.map(({ values, type }) => {
      const literal = values[row]?.[0];
      return literal === undefined ? 'NULL' : `(${literal})::${type.split(' COLLATE')[0] ?? type}`;
    });
    return `(${[row, ...literals].join(', ')})`;
  });
  await bed.sql(`SET standard_conforming_strings = on; SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German';
    CREATE TABLE awkward (id int, ${columns.join(', ')}); INSERT INTO awkward VALUES ${rows.join(', ')}`);
  const { types, rows: inHive } = await throughHive('awkward', asString);
  expect(types).toEqual(['INT', ...cases.map(({ hiveType }) => hiveType)]);
  expect(inHive).toHaveLength(height);
  await bed.sql(`SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 1`);
  const asText = await bed.sql(`SELECT id, ${cases.map((_, index) => `concat(v${index})`).join(', ')} FROM awkward`);
  const wrong: unknown[] = [];
  for (const row of inHive) {
    const id = Number(row[0]);
    for (const [index, { type, values, hiveType }] of cases.entries()) {
      const value = values[id];
      const got = row[index + 1];
      const fromPostgres = asText.find(([other]) => Number(other) === id)?.[index + 1] ?? null;
      const expected = value === undefined ? null : value.length === 1 ? fromPostgres : (value[1] ?? null);
      if (!same(hiveType, got ?? null, expected)) wrong.push({ type, literal: value?.[0], got, expected });
    }
  }
  expect(wrong).toEqual([]);
});

/** Floats are compared as numbers (Java writes them otherwise), timestamps without zeros at the end of their fraction. */
function same(hiveType: string, got: string | null, expected: string | null): boolean {
  if (got === null || expected === null) return got === expected;
  if (hiveType === 'DOUBLE') return Object.is(Number(got), Number(expected));
  if (hiveType === 'FLOAT') return Object.is(Math.fround(Number(got)), Math.fround(Number(expected)));
  if (hiveType === 'TIMESTAMP') return got.replace(/\.?0+$/, '') === expected.replace(/\.?0+$/, '');
  return got === expected;
}

test('a table with one column keeps empty texts, NULLs and line ends apart', async () => {
  await bed.sql(
    String.raw`CREATE TABLE lone (t text); INSERT INTO lone VALUES (''), (NULL), (E'\n'), ('\N'), (''), ('x')`,
  );
  const { rows } = await throughHive('lone', asString);
  expect(rows).toEqual([[''], [null], ['\n'], ['\\N'], [''], ['x']]);
});

test('an empty last column stays apart from NULL', async () => {
  await bed.sql(
    `CREATE TABLE lasts (a int, b text); INSERT INTO lasts VALUES (1, ''), (2, NULL), (NULL, ''), (NULL, NULL)`,
  );
  const { rows } = await throughHive('lasts', asString);
  expect(rows).toEqual([
    ['1', ''],
    ['2', null],
    [null, ''],
    [null, null],
  ]);
});
