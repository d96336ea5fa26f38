import { describe, expect, it } from 'vitest';
import type { CatalogueColumn } from './catalogue.ts';
import { testColumn } from './test-columns.ts';
import { fieldCharacters, mapColumns, sourceType } from './types.ts';

const able = { exactFloats: true };
const type = (name: string, properties: Partial<CatalogueColumn> = {}): CatalogueColumn =>
  testColumn('c', name, properties);

describe('SQL Server types', () => {
  it.each([
    [type('bit'), 'bit', 'BOOLEAN', "CASE WHEN t.[c] = 1 THEN 'true'"],
    [type('tinyint'), 'tinyint', 'SMALLINT', 'CONVERT(varchar(6), t.[c])'],
    [type('smallint'), 'smallint', 'SMALLINT', 'CONVERT(varchar(6), t.[c])'],
    [type('int'), 'int', 'INT', 'CONVERT(varchar(11), t.[c])'],
    [type('bigint'), 'bigint', 'BIGINT', 'CONVERT(varchar(20), t.[c])'],
    [type('decimal', { precision: 38, scale: 10 }), 'decimal(38,10)', 'DECIMAL(38,10)', 'CONVERT(varchar(41), t.[c])'],
    [type('numeric', { precision: 38, scale: 38 }), 'numeric(38,38)', 'DECIMAL(38,38)', 'CONVERT(varchar(41), t.[c])'],
    [type('money'), 'money', 'DECIMAL(19,4)', 'CONVERT(varchar(22), t.[c], 2)'],
    [type('smallmoney'), 'smallmoney', 'DECIMAL(10,4)', 'CONVERT(varchar(13), t.[c], 2)'],
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
    [type('varchar', { maxLength: 2000 }), 'varchar(2000)', 'STRING', 'CONVERT(nvarchar(2000), t.[c])'],
    [type('varchar', { maxLength: 2001 }), 'varchar(2001)', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('varchar', { maxLength: -1 }), 'varchar(max)', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('nchar', { maxLength: 20 }), 'nchar(10)', 'STRING', 'CONVERT(nvarchar(10), t.[c])'],
    [type('nvarchar', { maxLength: 100 }), 'nvarchar(50)', 'STRING', 'CONVERT(nvarchar(50), t.[c])'],
    [type('nvarchar', { maxLength: -1 }), 'nvarchar(max)', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('text', { maxLength: 16 }), 'text', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('ntext', { maxLength: 16 }), 'ntext', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('json', { maxLength: -1 }), 'json', 'STRING', 'CONVERT(nvarchar(max), t.[c])'],
    [type('xml', { maxLength: -1 }), 'xml', 'STRING', 'CONVERT(nvarchar(max), t.[c], 1)'],
    [type('uniqueidentifier'), 'uniqueidentifier', 'STRING', 'CONVERT(varchar(36), t.[c])'],
    [type('binary', { maxLength: 8 }), 'binary(8)', 'BINARY', 'CONVERT(varchar(18), t.[c], 2)'],
    [type('varbinary', { maxLength: 8000 }), 'varbinary(8000)', 'BINARY', 'CONVERT(nvarchar(max), t.[c], 2)'],
    [type('varbinary', { maxLength: -1 }), 'varbinary(max)', 'BINARY', 'CONVERT(nvarchar(max), t.[c], 2)'],
    [type('image', { maxLength: 16 }), 'image', 'BINARY', 'CONVERT(nvarchar(max), CONVERT(varbinary(max), t.[c]), 2)'],
    [type('timestamp', { maxLength: 8 }), 'rowversion', 'BINARY', 'CONVERT(varchar(18), CONVERT(binary(8), t.[c]), 2)'],
    [type('hierarchyid', { maxLength: 892 }), 'hierarchyid', 'STRING', 't.[c].ToString()'],
    [type('geometry', { maxLength: -1 }), 'geometry', 'BINARY', 'CONVERT(varbinary(max), t.[c])'],
    [type('geography', { maxLength: -1 }), 'geography', 'BINARY', 'CONVERT(varbinary(max), t.[c])'],
    [type('sql_variant', { maxLength: 8016 }), 'sql_variant', 'STRING', "SQL_VARIANT_PROPERTY(t.[c], 'BaseType')"],
  ])('%o is read as %s and kept as %s', (column, source, hiveType, expression) => {
    const { columns, remarks } = mapColumns([column], 'refuse', able);
    expect(remarks).toEqual([]);
    expect(columns).toHaveLength(1);
    expect(columns[0]).toMatchObject({ name: 'c', sourceType: source, hiveType });
    expect(columns[0]?.expression).toContain(expression);
    // NULL is told apart in the database, whatever the catalogue says of it.
    expect(columns[0]?.expression).toMatch(/^ISNULL\([\s\S]*, '\\N'\)$/);
  });

  it.each([
    ['char', { maxLength: 5 }],
    ['nvarchar', { maxLength: 10 }],
    ['text', {}],
    ['xml', {}],
    ['json', {}],
    ['hierarchyid', {}],
    ['sql_variant', {}],
  ])('escapes what Hive gives a meaning in %s, comparing code units', (name, properties) => {
    const expression = mapColumns([type(name, properties)], 'refuse', able).columns[0]?.expression ?? '';
    expect(expression).toContain('COLLATE Latin1_General_BIN2');
    for (const part of ["N'\\', N'\\\\'", "NCHAR(10), N'\\n'", "NCHAR(13), N'\\r'", "NCHAR(9), N'\\' + NCHAR(9)"]) {
      expect(expression).toContain(part);
    }
    // The backslash goes first: what the others add must not be escaped again.
    expect(expression.indexOf("N'\\\\'")).toBeLessThan(expression.indexOf("N'\\n'"));
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

  it('refuses floating-point numbers of a server that cannot write all their digits', () => {
    expect(mapColumns([type('float')], 'refuse', { exactFloats: false }).remarks).toMatchObject([{ done: 'refused' }]);
    expect(mapColumns([type('real')], 'text', { exactFloats: false }).columns).toMatchObject([{ hiveType: 'STRING' }]);
  });

  it('leaves out a column set, whose columns come by themselves', () => {
    const { columns, remarks } = mapColumns([type('xml', { columnSet: true }), testColumn('d', 'int')], 'refuse', able);
    expect(columns.map(({ name }) => name)).toEqual(['d']);
    expect(remarks).toMatchObject([{ column: 'c', done: 'left out' }]);
  });

  it('quotes names, whatever is in them', () => {
    const [column] = mapColumns([testColumn("odd]name';--", 'int')], 'refuse', able).columns;
    expect(column?.expression).toContain("t.[odd]]name';--]");
  });

  it.each([
    [type('int'), 41],
    [type('nvarchar', { maxLength: 100 }), 100],
    [type('varchar', { maxLength: 100 }), 200],
    [type('varbinary', { maxLength: 16 }), 32],
    [type('char', { maxLength: 1 }), 2],
    [type('nvarchar', { maxLength: -1 }), undefined],
    [type('nvarchar', { maxLength: 8000 }), undefined],
    [type('xml'), undefined],
    [type('sql_variant'), undefined],
  ])('knows how long the field of %o can be', (column, characters) => {
    const [mapped] = mapColumns([column], 'refuse', able).columns;
    expect(mapped === undefined ? 'none' : fieldCharacters(mapped)).toBe(characters);
    expect(sourceType(column)).toBe(mapped?.sourceType);
  });
});
