import { describe, expect, it } from 'vitest';
import type { CatalogueColumn } from './catalogue.ts';
import { testColumn } from './test-columns.ts';
import { fieldKind, isLargeField, mapColumns, sourceType, type TypeAbilities } from './types.ts';

const able: TypeAbilities = { inexact: new Map() };
const type = (name: string, properties: Partial<CatalogueColumn> = {}): CatalogueColumn =>
  testColumn('c', name, properties);

describe('SQL Server types', () => {
  it.each([
    [type('bit'), 'bit', 'BOOLEAN', 't.[c]'],
    [type('tinyint'), 'tinyint', 'SMALLINT', 't.[c]'],
    [type('smallint'), 'smallint', 'SMALLINT', 't.[c]'],
    [type('int'), 'int', 'INT', 't.[c]'],
    [type('bigint'), 'bigint', 'BIGINT', 't.[c]'],
    [type('decimal', { precision: 38, scale: 10 }), 'decimal(38,10)', 'DECIMAL(38,10)', 'CONVERT(varchar(41), t.[c])'],
    [type('numeric', { precision: 38, scale: 38 }), 'numeric(38,38)', 'DECIMAL(38,38)', 'CONVERT(varchar(41), t.[c])'],
    [type('money'), 'money', 'DECIMAL(19,4)', 'CONVERT(varchar(22), t.[c], 2)'],
    [type('smallmoney'), 'smallmoney', 'DECIMAL(10,4)', 'CONVERT(varchar(22), t.[c], 2)'],
    [type('float'), 'float', 'DOUBLE', 'CONVERT(varchar(32), t.[c], 3)'],
    [type('real'), 'real', 'FLOAT', 'CONVERT(varchar(32), t.[c], 3)'],
    [type('date'), 'date', 'DATE', 'CONVERT(varchar(10), t.[c], 23)'],
    [type('datetime'), 'datetime', 'TIMESTAMP', 'CONVERT(varchar(23), t.[c], 121)'],
    [type('smalldatetime'), 'smalldatetime', 'TIMESTAMP', 'CONVERT(varchar(19), t.[c], 120)'],
    [type('datetime2', { scale: 7 }), 'datetime2(7)', 'TIMESTAMP', 'CONVERT(varchar(27), t.[c], 121)'],
    [type('time', { scale: 3 }), 'time(3)', 'STRING', 'CONVERT(varchar(16), t.[c], 121)'],
    [
      type('datetimeoffset', { scale: 7 }),
      'datetimeoffset(7)',
      'STRING',
      "STUFF(REPLACE(REPLACE(CONVERT(varchar(34), t.[c], 121), ' +', '+'), ' -', '-'), 11, 1, 'T')",
    ],
    [type('char', { maxLength: 10 }), 'char(10)', 'STRING', 'CONVERT(nvarchar(10), t.[c])'],
    [type('varchar', { maxLength: 4000 }), 'varchar(4000)', 'STRING', 'CONVERT(nvarchar(4000), t.[c])'],
    [type('varchar', { maxLength: 4001 }), 'varchar(4001)', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('varchar', { maxLength: -1 }), 'varchar(max)', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('nchar', { maxLength: 20 }), 'nchar(10)', 'STRING', 't.[c]'],
    [type('nvarchar', { maxLength: 100 }), 'nvarchar(50)', 'STRING', 't.[c]'],
    [type('nvarchar', { maxLength: -1 }), 'nvarchar(max)', 'STRING', 't.[c]'],
    [type('text', { maxLength: 16 }), 'text', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('ntext', { maxLength: 16 }), 'ntext', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('json', { maxLength: -1 }), 'json', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('xml', { maxLength: -1 }), 'xml', 'STRING', 'CONVERT(nvarchar(max), t.[c], 1)'],
    [type('uniqueidentifier'), 'uniqueidentifier', 'STRING', 't.[c]'],
    [type('binary', { maxLength: 8 }), 'binary(8)', 'BINARY', 't.[c]'],
    [type('varbinary', { maxLength: 8000 }), 'varbinary(8000)', 'BINARY', 't.[c]'],
    [type('varbinary', { maxLength: -1 }), 'varbinary(max)', 'BINARY', 't.[c]'],
    [type('image', { maxLength: 16 }), 'image', 'BINARY', 'CONVERT(varbinary(max), t.[c])'],
    [type('timestamp', { maxLength: 8 }), 'rowversion', 'BINARY', 'CONVERT(binary(8), t.[c])'],
    [type('hierarchyid', { maxLength: 892 }), 'hierarchyid', 'STRING', 't.[c].ToString()'],
    [type('geometry', { maxLength: -1 }), 'geometry', 'BINARY', 'CONVERT(varbinary(max), t.[c])'],
    [type('geography', { maxLength: -1 }), 'geography', 'BINARY', 'CONVERT(varbinary(max), t.[c])'],
    [type('sql_variant', { maxLength: 8016 }), 'sql_variant', 'STRING', "SQL_VARIANT_PROPERTY(t.[c], 'BaseType')"],
  ])('%o is read as %s and kept as %s', (column, source, hiveType, expression) => {
    const { columns, remarks } = mapColumns([column], 'refuse', able);
    expect(remarks).toEqual([]);
    expect(columns).toHaveLength(1);
    expect(columns[0]).toMatchObject({ name: 'c', sourceType: source, hiveType });
    // What is exact as the driver's bytes is asked for as it is.
    if (expression === 't.[c]') expect(columns[0]?.expression).toBe(expression);
    else expect(columns[0]?.expression).toContain(expression);
  });

  it.each([
    ['an encrypted column', type('int', { encrypted: true }), 'encrypted', false],
    ['a masked column', type('int', { masked: true }), 'masked', false],
    ['a column computed anew at each reading', type('int', { changing: true }), 'computed anew', false],
    ['a CLR type', type('Complex', { userClrType: true }), 'CLR', true],
    ['a vector', type('vector'), 'significant digits', true],
    ['a type that nobody knows', type('cursor'), 'not known', false],
  ])('refuses %s, or leaves it out, or keeps its text where it has one', (_, column, reason, hasText) => {
    const refused = mapColumns([column], 'refuse', able);
    expect(refused.columns).toEqual([]);
    expect(refused.remarks).toMatchObject([
      { column: 'c', done: 'refused', reason: expect.stringContaining(reason) as string },
    ]);
    expect(mapColumns([column], 'skip', able).remarks).toMatchObject([{ done: 'left out' }]);
    const text = mapColumns([column], 'text', able);
    expect(text.remarks).toMatchObject([{ done: hasText ? 'kept as text' : 'refused' }]);
    expect(text.columns.map(({ hiveType }) => hiveType)).toEqual(hasText ? ['STRING'] : []);
  });

  it.each(['float', 'real', 'money', 'decimal', 'datetime2', 'int'])(
    'refuses %s of a server that sends it otherwise than it is',
    (name) => {
      const rounding: TypeAbilities = { inexact: new Map([[name, 'it sent 1 for 1.5']]) };
      expect(mapColumns([type(name)], 'refuse', rounding).remarks).toMatchObject([
        { done: 'refused', reason: expect.stringContaining('it sent 1 for 1.5') as string },
      ]);
      expect(mapColumns([type(name)], 'text', rounding).columns).toMatchObject([{ hiveType: 'STRING' }]);
      expect(mapColumns([type('bigint')], 'refuse', rounding).columns).toHaveLength(1);
    },
  );

  it('reads money by way of decimal where the server drops its decimals', () => {
    const dropping: TypeAbilities = { inexact: new Map(), moneyByDecimal: true };
    expect(mapColumns([type('money')], 'refuse', dropping).columns).toMatchObject([
      { hiveType: 'DECIMAL(19,4)', expression: 'CONVERT(varchar(22), CONVERT(decimal(19,4), t.[c]))' },
    ]);
  });

  it('leaves out a column set, whose columns come by themselves', () => {
    const { columns, remarks } = mapColumns([type('xml', { columnSet: true }), testColumn('d', 'int')], 'refuse', able);
    expect(columns.map(({ name }) => name)).toEqual(['d']);
    expect(remarks).toMatchObject([{ column: 'c', done: 'left out' }]);
  });

  it('quotes names, whatever is in them', () => {
    const [column] = mapColumns([testColumn("odd]name';--", 'int')], 'refuse', able).columns;
    expect(column?.expression).toBe("t.[odd]]name';--]");
  });

  it.each([
    [type('int'), 'integer', false],
    [type('bit'), 'boolean', false],
    [type('uniqueidentifier'), 'guid', false],
    [type('time', { scale: 3 }), 'plain', false],
    [type('datetimeoffset', { scale: 3 }), 'plain', false],
    [type('decimal', { precision: 5, scale: 2 }), 'plain', false],
    [type('nvarchar', { maxLength: 100 }), 'text', false],
    [type('varbinary', { maxLength: 16 }), 'binary', false],
    [type('timestamp', { maxLength: 8 }), 'binary', false],
    [type('nvarchar', { maxLength: -1 }), 'text', true],
    [type('varchar', { maxLength: 8000 }), 'text', true],
    [type('varbinary', { maxLength: -1 }), 'binary', true],
    [type('xml'), 'text', true],
    [type('sql_variant'), 'text', true],
  ] as const)('knows the kind and the size of the field of %o', (column, kind, isLarge) => {
    const [mapped] = mapColumns([column], 'refuse', able).columns;
    if (mapped === undefined) throw new Error('not kept');
    expect(fieldKind(mapped)).toBe(kind);
    expect(isLargeField(mapped)).toBe(isLarge);
    expect(sourceType(column)).toBe(mapped.sourceType);
  });
});
