import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotReader } from '../../grid/history/sql-source.ts';
import { NEEDS_SERVER, rowsOf, sourceOf, SQL_SERVER_URL, TestDatabase } from './test-database.ts';

const never = new AbortController().signal;
const options = { splitRows: 1_000, onUnsupported: 'refuse' } as const;

/** Type, Hive type, and pairs of an SQL expression and the text that Hive is to read. */
type Case = readonly [
  type: string,
  hiveType: string,
  values: readonly (readonly [expression: string, text: string | null])[],
];

const same = (...texts: string[]): [string, string][] => texts.map((text) => [`N'${text}'`, text]);
const special = "tab\tnewline\nreturn\rbackslash\\ \\N \\t é 'quoted' 😀 𠀀";
const specialLiteral = `N'${special.replaceAll("'", "''")}'`;

const CASES: readonly Case[] = [
  [
    'bit',
    'BOOLEAN',
    [
      ['1', 'true'],
      ['0', 'false'],
    ],
  ],
  [
    'tinyint',
    'SMALLINT',
    [
      ['0', '0'],
      ['255', '255'],
    ],
  ],
  [
    'smallint',
    'SMALLINT',
    [
      ['-32768', '-32768'],
      ['32767', '32767'],
    ],
  ],
  [
    'int',
    'INT',
    [
      ['-2147483648', '-2147483648'],
      ['2147483647', '2147483647'],
    ],
  ],
  ['bigint', 'BIGINT', same('-9223372036854775808', '9223372036854775807', '9007199254740993')],
  [
    'decimal(38,0)',
    'DECIMAL(38,0)',
    same('99999999999999999999999999999999999999', '-99999999999999999999999999999999999999', '0'),
  ],
  ['decimal(38,10)', 'DECIMAL(38,10)', same('1234567890123456789012345678.0123456789', '-0.0000000001')],
  [
    'decimal(38,38)',
    'DECIMAL(38,38)',
    same('0.00000000000000000000000000000000000001', '-0.99999999999999999999999999999999999999'),
  ],
  [
    'numeric(5,2)',
    'DECIMAL(5,2)',
    [
      ['-0.5', '-0.50'],
      ['999.99', '999.99'],
    ],
  ],
  [
    'money',
    'DECIMAL(19,4)',
    [
      ['922337203685477.5807', '922337203685477.5807'],
      ['-922337203685477.5808', '-922337203685477.5808'],
      ['0.0001', '0.0001'],
      ['1234567.8', '1234567.8000'],
    ],
  ],
  [
    'smallmoney',
    'DECIMAL(10,4)',
    [
      ['214748.3647', '214748.3647'],
      ['-214748.3648', '-214748.3648'],
    ],
  ],
  ['date', 'DATE', same('0001-01-01', '1582-10-10', '2024-02-29', '9999-12-31')],
  [
    'datetime',
    'TIMESTAMP',
    [
      ["'17530101'", '1753-01-01 00:00:00.000'],
      ["'99991231 23:59:59.997'", '9999-12-31 23:59:59.997'],
      ["'20240229 12:34:56.003'", '2024-02-29 12:34:56.003'],
      ["'20240229 12:34:56.007'", '2024-02-29 12:34:56.007'],
    ],
  ],
  [
    'smalldatetime',
    'TIMESTAMP',
    [
      ["'20790606 23:59'", '2079-06-06 23:59:00'],
      ["'19000101'", '1900-01-01 00:00:00'],
    ],
  ],
  [
    'datetime2(7)',
    'TIMESTAMP',
    same('0001-01-01 00:00:00.0000000', '2024-02-29 23:59:59.1234567', '9999-12-31 23:59:59.9999999'),
  ],
  ['datetime2(3)', 'TIMESTAMP', same('2024-02-29 23:59:59.123')],
  ['datetime2(0)', 'TIMESTAMP', same('2024-02-29 23:59:59')],
  ['time(7)', 'STRING', same('00:00:00.0000000', '23:59:59.9999999')],
  ['time(0)', 'STRING', same('23:59:59')],
  [
    'datetimeoffset(7)',
    'STRING',
    [
      ["'2024-02-29 23:59:59.1234567 +05:30'", '2024-02-29T23:59:59.1234567+05:30'],
      ["'0001-01-02 00:00:00 -14:00'", '0001-01-02T00:00:00.0000000-14:00'],
      ["'2024-02-29 23:59:59 +00:00'", '2024-02-29T23:59:59.0000000+00:00'],
    ],
  ],
  ['datetimeoffset(0)', 'STRING', [["'2024-02-29 23:59:59 -01:00'", '2024-02-29T23:59:59-01:00']]],
  [
    'char(5)',
    'STRING',
    [
      ["'ab'", 'ab   '],
      ["''", '     '],
    ],
  ],
  ['nchar(3)', 'STRING', [["N'é'", 'é  ']]],
  ['varchar(20) COLLATE Cyrillic_General_CI_AS', 'STRING', same('Привет')],
  ['varchar(20) COLLATE Latin1_General_CI_AS', 'STRING', same('Größe €')],
  [
    'varchar(1)',
    'STRING',
    [
      ["''", ''],
      ["'\t'", '\t'],
      ["'\\'", '\\'],
    ],
  ],
  [
    'nvarchar(100)',
    'STRING',
    [
      [specialLiteral, special],
      ["N''", ''],
      ["N'\\N'", '\\N'],
      ["N'a' + NCHAR(0) + N'b'", 'a\0b'],
    ],
  ],
  [
    'nvarchar(4000)',
    'STRING',
    [
      ["REPLICATE(N'\\', 4000)", '\\'.repeat(4_000)],
      ['REPLICATE(NCHAR(9), 4000)', '\t'.repeat(4_000)],
    ],
  ],
  ['varchar(8000)', 'STRING', [["REPLICATE('\n', 8000)", '\n'.repeat(8_000)]]],
  ['varchar(max)', 'STRING', [["REPLICATE(CONVERT(varchar(max), 'x\ty'), 200000)", 'x\ty'.repeat(200_000)]]],
  [
    'nvarchar(max)',
    'STRING',
    [
      [specialLiteral, special],
      ["REPLICATE(CONVERT(nvarchar(max), N'x😀'), 300000)", 'x😀'.repeat(300_000)],
    ],
  ],
  [
    'text',
    'STRING',
    [
      ["'line\nline'", 'line\nline'],
      ["''", ''],
    ],
  ],
  ['ntext', 'STRING', [[specialLiteral, special]]],
  ['xml', 'STRING', [['N\'<a b="1">x &amp; y<c/>😀</a>\'', '<a b="1">x &amp; y<c/>😀</a>']]],
  ['uniqueidentifier', 'STRING', same('0E984725-C51C-4BF4-9960-E1C80E27ABA0')],
  [
    'binary(4)',
    'BINARY',
    [
      ['0x01', 'AQAAAA=='],
      ['0xFFFFFFFF', '/////w=='],
    ],
  ],
  [
    'varbinary(8000)',
    'BINARY',
    [
      ['0x', ''],
      ['0xDEADBEEF', '3q2+7w=='],
      ['0x00', 'AA=='],
    ],
  ],
  [
    'varbinary(max)',
    'BINARY',
    [
      [
        "CONVERT(varbinary(max), REPLICATE(CONVERT(varchar(max), 'a'), 100000))",
        Buffer.from('a'.repeat(100_000)).toString('base64'),
      ],
    ],
  ],
  ['image', 'BINARY', [['0xDEADBEEF', '3q2+7w==']]],
  [
    'hierarchyid',
    'STRING',
    [
      ["'/1/2.5/3/'", '/1/2.5/3/'],
      ["'/'", '/'],
    ],
  ],
  [
    'sql_variant',
    'STRING',
    [
      ['CONVERT(int, 5)', '{"type":"int","value":"5"}'],
      ['CONVERT(decimal(5,2), 1.5)', '{"type":"decimal(5,2)","value":"1.50"}'],
      ["CONVERT(nvarchar(20), N'a\"b\\c')", '{"type":"nvarchar","value":"a\\"b\\\\c"}'],
      ["CONVERT(varchar(20), '5')", '{"type":"varchar","value":"5"}'],
      ['CONVERT(money, 1.2345)', '{"type":"money","value":"1.2345"}'],
      [
        "CONVERT(datetime2(3), '2024-02-29 12:00:00.123')",
        '{"type":"datetime2(3)","value":"2024-02-29 12:00:00.1230000"}',
      ],
      ["CONVERT(datetime, '20240229 12:00:00.003')", '{"type":"datetime","value":"2024-02-29 12:00:00.003"}'],
      ['CONVERT(varbinary(4), 0xDEAD)', '{"type":"varbinary","value":"DEAD"}'],
      [
        "CONVERT(uniqueidentifier, '0E984725-C51C-4BF4-9960-E1C80E27ABA0')",
        '{"type":"uniqueidentifier","value":"0E984725-C51C-4BF4-9960-E1C80E27ABA0"}',
      ],
    ],
  ],
];

/** Doubles and singles come back as the very number, whatever their text is. */
const FLOATS: readonly (readonly [
  type: string,
  hiveType: string,
  values: readonly string[],
  narrow: (value: number) => number,
])[] = [
  [
    'float',
    'DOUBLE',
    [
      '1.7976931348623157E308',
      '-1.7976931348623157E308',
      '2.2250738585072014E-308',
      '0.1',
      '3.3333333333333331E-1',
      '9007199254740993',
      '0',
      '5E-1',
    ],
    Number,
  ],
  ['real', 'FLOAT', ['3.4028235E38', '1.17549435E-38', '0.1', '16777217', '-1E0'], Math.fround],
];

describe.skipIf(SQL_SERVER_URL === '')(`every type of SQL Server${NEEDS_SERVER}`, () => {
  let database: TestDatabase;
  let tables = 0;
  const readers: SnapshotReader[] = [];

  beforeAll(async () => {
    database = await TestDatabase.open();
  });
  afterAll(async () => {
    for (const reader of readers) await reader.close();
    await database.close();
  });

  /** The values of column `c`, in the order they are given, NULL last. */
  async function imported(type: string, expressions: readonly string[]) {
    const name = `types ${++tables}]`;
    await database.run(`CREATE TABLE {schema}.[types ${tables}]]] (id int NOT NULL PRIMARY KEY, c ${type} NULL)`);
    for (const [at, expression] of [...expressions, 'NULL'].entries()) {
      await database.run(`INSERT INTO {schema}.[types ${tables}]]] (id, c) VALUES (${at}, ${expression})`);
    }
    const reader = await sourceOf().read(undefined, never);
    readers.push(reader);
    const plan = await reader.plan(database.table(name), options, never);
    const { rows } = await rowsOf(reader, plan, 0);
    await reader.close();
    return {
      column: plan.columns[1],
      values: rows.sort((a, b) => Number(a[0]) - Number(b[0])).map((row) => row[1]),
    };
  }

  it.each(CASES)('%s is %s, value by value', async (type, hiveType, values) => {
    const { column, values: read } = await imported(
      type,
      values.map(([expression]) => expression),
    );
    expect(column).toMatchObject({
      hiveType,
      sourceType: type.replace(/ COLLATE .*/, ''),
    });
    expect(read).toEqual([...values.map(([, text]) => text), null]);
  });

  it.each(FLOATS)('%s is %s, to the last bit', async (type, hiveType, values, narrow) => {
    const { column, values: read } = await imported(
      type,
      values.map((value) => `CONVERT(${type}, ${value.includes('E') ? value : `${value}E0`})`),
    );
    expect(column?.hiveType).toBe(hiveType);
    expect(read.pop()).toBeNull();
    expect(read.map((text) => narrow(Number(text)))).toEqual(values.map((value) => narrow(Number(value))));
  });

  it('keeps a rowversion as its eight bytes', async () => {
    await database.run('CREATE TABLE {schema}.versions (id int NOT NULL PRIMARY KEY, v rowversion)');
    await database.run('INSERT INTO {schema}.versions (id) VALUES (1)');
    const [row] = await database.run('SELECT CONVERT(varchar(18), CONVERT(binary(8), v), 2) FROM {schema}.versions');
    const reader = await sourceOf().read(undefined, never);
    readers.push(reader);
    const plan = await reader.plan(database.table('versions'), options, never);
    const { rows } = await rowsOf(reader, plan, 0);
    expect(rows).toEqual([['1', Buffer.from(String(row?.[0]), 'hex').toString('base64')]]);
    await reader.close();
  });

  it('refuses half a character with its column', async () => {
    await database.run('CREATE TABLE {schema}.halves (id int NOT NULL PRIMARY KEY, note nvarchar(10))');
    await database.run('INSERT INTO {schema}.halves VALUES (1, NCHAR(55357))');
    const reader = await sourceOf().read(undefined, never);
    readers.push(reader);
    const plan = await reader.plan(database.table('halves'), options, never);
    await expect(rowsOf(reader, plan, 0)).rejects.toMatchObject({
      code: 'unsupported-column',
      details: { columns: ['note'] },
    });
    await reader.close();
  });

  it('refuses a column that is computed anew at each reading, or leaves it out', async () => {
    await database.run(
      'CREATE TABLE {schema}.computed (id int NOT NULL PRIMARY KEY, twice AS id * 2, now_ AS SYSDATETIME())',
    );
    await database.run('INSERT INTO {schema}.computed (id) VALUES (21)');
    const reader = await sourceOf().read(undefined, never);
    readers.push(reader);
    const table = database.table('computed');
    await expect(reader.plan(table, options, never)).rejects.toMatchObject({ code: 'unsupported-column' });
    const plan = await reader.plan(table, { ...options, onUnsupported: 'skip' }, never);
    expect(plan.remarks).toMatchObject([{ column: 'now_', done: 'left out' }]);
    expect((await rowsOf(reader, plan, 0)).rows).toEqual([['21', '42']]);
    await reader.close();
  });
});
