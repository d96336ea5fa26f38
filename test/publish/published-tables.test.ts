import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PublicationBed } from './publication-bed.ts';

let bed: PublicationBed;
beforeAll(() => {
  bed = new PublicationBed();
});
afterAll(() => bed.end());

const TEXTS = [
  null,
  '',
  String.raw`\N`,
  'tab\there',
  'line\nfeed',
  'carriage\rreturn',
  'both\r\n',
  'back\\slash',
  String.raw`\t\n\r`,
  'ends in \\',
  '\\',
  '\t',
  'ünï😀',
  'a\u0001b\u0002c\u0000d'.replace('\u0000', ''),
  'quote " and \' and `',
  ' spaces ',
];

describe('a published table', () => {
  it('gives back every text as it was, NULL told from the empty string', async () => {
    const rows = TEXTS.map((text, index) => [String(index), text, 'end']);
    const result = await bed.import(
      { schema: 'public', name: 'texts' },
      {
        columns: [
          { name: 'id', hiveType: 'INT' },
          { name: 'text', hiveType: 'STRING' },
          { name: 'after', hiveType: 'STRING' },
        ],
        rows,
        splitRows: 5,
      },
    );
    expect(result).toMatchObject({ hiveTable: `${bed.prefix}_postgres.texts`, rows: TEXTS.length, splits: 4 });
    const read = await bed.hive.rows(`SELECT id, text, after FROM ${result.hiveTable}`);
    expect(read.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(rows);
  });

  it('keeps numbers, times and bytes exact', async () => {
    const columns = [
      { name: 'i', hiveType: 'BIGINT' },
      { name: 'd', hiveType: 'DECIMAL(38,18)' },
      { name: 't', hiveType: 'TIMESTAMP' },
      { name: 'day', hiveType: 'DATE' },
      { name: 'b', hiveType: 'BINARY' },
      { name: 'yes', hiveType: 'BOOLEAN' },
      { name: 'x', hiveType: 'DOUBLE' },
    ];
    const row = [
      '-9223372036854775808',
      '12345678901234567890.123456789012345678',
      '2024-02-29 23:59:59.999999',
      '0001-01-01',
      Buffer.from([0, 1, 9, 10, 13, 92, 255]).toString('base64'),
      'true',
      '1e-300',
    ];
    const { hiveTable } = await bed.import(
      { schema: 'public', name: 'exact' },
      { columns, rows: [row, columns.map(() => null)] },
    );
    const read = await bed.hive.rows(`SELECT * FROM ${hiveTable}`);
    expect(read).toContainEqual(row);
    expect(read).toContainEqual(columns.map(() => null));
  });

  it('may be called by names that Hive and HDFS give a meaning to', async () => {
    const names = [
      'date',
      'user',
      'timestamp',
      'import_run',
      'With "quotes"',
      'with `backticks`',
      '测量',
      '温度',
      'Größe (m²)',
      'a',
      'A',
      'tab\there',
      '${x}',
    ];
    const table = { schema: 'Ünï.code', name: 'A,b {c} [d]* "e" \'f\' %3A:\\g $h 😀' };
    const result = await bed.import(table, {
      columns: names.map((name) => ({ name, hiveType: 'STRING', sourceType: 'character varying(5)' })),
      rows: [names],
    });
    expect(await bed.hive.rows(`SELECT * FROM ${result.hiveTable}`)).toEqual([names]);
    const columns = await bed.hive.rows(`DESCRIBE ${result.hiveTable}`);
    // A reserved word, quoted for those who paste it.
    const user = await bed.import(
      { schema: 'public', name: 'user' },
      { columns: [{ name: 'order', hiveType: 'INT' }], rows: [['1']] },
    );
    expect(user.hiveTable).toMatch(/\.`user`$/);
    expect(await bed.hive.rows(`SELECT \`order\` FROM ${user.hiveTable}`)).toEqual([['1']]);
    expect(columns.map(([name]) => name)).toEqual(
      expect.arrayContaining(['date', 'user', 'timestamp', 'with__quotes_', 'a']),
    );
    expect(columns.map(([, , comment]) => comment)).toContain('Größe (m²) character varying(5)');
    expect(new Set(columns.map(([name]) => name)).size).toBe(names.length);
    expect(result.hiveTable).toMatch(/^test_[0-9a-f]+_postgres\.`_n__code__[a-z0-9_]+`$/);
  });

  it('is there without rows, and has none', async () => {
    const result = await bed.import(
      { schema: 'public', name: 'empty' },
      { columns: [{ name: 'id', hiveType: 'INT' }], rows: [] },
    );
    expect(result).toMatchObject({ rows: 0, sourceRows: 0, fileBytes: 0 });
    expect(await bed.hive.rows(`SELECT * FROM ${result.hiveTable}`)).toEqual([]);
    expect(await bed.hive.rows(`SELECT count(*) FROM ${result.hiveTable}`)).toEqual([['0']]);
  });

  it('keeps its name when another is imported whose name becomes the same', async () => {
    const columns = [{ name: 'id', hiveType: 'INT' }];
    const first = await bed.import({ schema: 'public', name: 'Meters' }, { columns, rows: [['1']] });
    const second = await bed.import({ schema: 'public', name: 'meters' }, { columns, rows: [['2']] });
    const again = await bed.import({ schema: 'public', name: 'Meters' }, { columns, rows: [['3']] });
    expect(first.hiveTable).toBe(`${bed.prefix}_postgres.meters`);
    expect(second.hiveTable).toMatch(/_postgres\.meters_[0-9a-f]{6}$/);
    expect(again.hiveTable).toBe(first.hiveTable);
    expect(await bed.hive.rows(`SELECT id FROM ${first.hiveTable}`)).toEqual([['3']]);
    expect(await bed.hive.rows(`SELECT id FROM ${second.hiveTable}`)).toEqual([['2']]);
  });
});
