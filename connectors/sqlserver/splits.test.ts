import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import type { TableDescription, TableIndex } from './catalogue.ts';
import { boundariesStatement, parseSplit, rowOrder, splitConditions, splitsBetween, type RowOrder } from './splits.ts';
import { testColumn } from './test-columns.ts';

const table = { schema: 'dbo', name: 'telemetry' };
const description = (indexes: TableIndex[], columns: TableDescription['columns']): TableDescription => ({
  table,
  identity: '',
  origin: { table: '', parts: [], definitions: [] },
  columns,
  indexes,
  estimatedRows: 0,
  estimatedBytes: 0,
});
const keys = (...names: string[]) => names.map((name) => ({ name, descending: false }));
const orderOf = (...names: string[]): RowOrder => ({
  columns: names.map((name) => ({ name, declaration: 'int' })),
  stored: keys(...names),
});

/** Evaluates the conditions of a split over a row of whole numbers: AND, OR, comparisons and parentheses. */
function holds(condition: string, row: Readonly<Record<string, number>>): boolean {
  const tokens = condition.match(/t\.\[\w+\]|CONVERT\(int, N'-?\d+'\)|AND|OR|>=|<=|[<>=()]/g) ?? [];
  let at = 0;
  const operand = (): number => {
    const token = tokens[at++] ?? '';
    const column = /^t\.\[(\w+)\]$/.exec(token)?.[1];
    return column === undefined ? Number(/N'(-?\d+)'/.exec(token)?.[1]) : (row[column] ?? Number.NaN);
  };
  const comparison = (): boolean => {
    if (tokens[at] === '(') {
      at++;
      const inner = either();
      at++;
      return inner;
    }
    const left = operand();
    const operator = tokens[at++];
    const right = operand();
    switch (operator) {
      case '<':
        return left < right;
      case '>':
        return left > right;
      case '<=':
        return left <= right;
      case '>=':
        return left >= right;
      case '=':
        return left === right;
      case undefined:
      default:
        throw new Error(`operator ${operator ?? ''} in ${condition}`);
    }
  };
  const both = (): boolean => {
    let value = comparison();
    while (tokens[at] === 'AND') {
      at++;
      value = comparison() && value;
    }
    return value;
  };
  const either = (): boolean => {
    let value = both();
    while (tokens[at] === 'OR') {
      at++;
      value = both() || value;
    }
    return value;
  };
  return either();
}

describe('splits', () => {
  it('hold every row in exactly one, for keys of several columns', () => {
    const small = fc.integer({ min: 0, max: 3 });
    const key = fc.tuple(small, small, small);
    fc.assert(
      fc.property(fc.array(key, { maxLength: 6 }), fc.array(key, { minLength: 1 }), (unsorted, rows) => {
        const boundaries = unsorted
          .map((boundary) => boundary.join(''))
          .sort()
          .map((text) => Array.from(text));
        const splits = splitsBetween(orderOf('a', 'b', 'c'), boundaries, undefined).map((range) =>
          parseSplit(table, range),
        );
        for (const [a, b, c] of rows) {
          const inside = splits.filter((split) =>
            splitConditions(split).every((condition) => holds(condition, { a, b, c })),
          );
          expect(inside).toHaveLength(1);
        }
      }),
    );
  });

  it('cover everything when there is no boundary, and drop boundaries that repeat', () => {
    expect(splitsBetween(orderOf('a'), [], undefined)).toHaveLength(1);
    expect(splitsBetween(orderOf('a'), [['5'], ['5'], ['7']], undefined)).toHaveLength(3);
    const [only] = splitsBetween({ columns: [], stored: [] }, [], 'x < 1');
    expect(splitConditions(parseSplit(table, only ?? {}))).toEqual([]);
    expect(parseSplit(table, only ?? {}).horizon).toBe('x < 1');
  });

  it('give values back to the database as text with their type and collation', () => {
    const order = rowOrder(
      description(
        [{ primary: true, unique: true, clustered: true, columns: keys('name', 'at', 'id', 'version', 'price') }],
        [
          testColumn('name', 'varchar', { maxLength: 20, nullable: false, collation: 'Cyrillic_General_CI_AS' }),
          testColumn('at', 'datetime2', { scale: 7, nullable: false }),
          testColumn('id', 'uniqueidentifier', { nullable: false }),
          testColumn('version', 'timestamp', { nullable: false }),
          testColumn('price', 'money', { nullable: false }),
        ],
      ),
    );
    const [, last] = splitsBetween(
      order,
      [["O'Неil", '2024-02-29 23:59:59.1234567', 'ABC', '0x00000000000007D1', '1.5000']],
      undefined,
    );
    const condition = splitConditions(parseSplit(table, last ?? {})).join(' ');
    expect(condition).toContain("CONVERT(varchar(20), N'O''Неil' COLLATE Cyrillic_General_CI_AS)");
    expect(condition).toContain("CONVERT(datetime2(7), N'2024-02-29 23:59:59.1234567', 121)");
    expect(condition).toContain("CONVERT(uniqueidentifier, N'ABC')");
    expect(condition).toContain("CONVERT(binary(8), N'0x00000000000007D1', 1)");
    expect(condition).toContain("CONVERT(money, N'1.5000', 2)");
  });

  it('seek by the first column of a composite key', () => {
    const [, last] = splitsBetween(orderOf('a', 'b'), [['1', '2']], undefined);
    expect(splitConditions(parseSplit(table, last ?? {}))[0]).toBe("t.[a] >= CONVERT(int, N'1')");
  });

  it.each([
    [{ columns: '[{"name":"a","declaration":"int"}]', stored: '[]', from: '["1","2"]', to: null, horizon: null }],
    [{ from: '["1"]' }],
    [{ columns: 'not json', stored: '[]', from: null, to: null, horizon: null }],
    [{ first: 0, last: 10 }],
  ])('are refused when they are none of ours: %j', (range) => {
    expect(() => parseSplit(table, range)).toThrow(GridError);
  });
});

describe('the order of rows', () => {
  const columns = [
    testColumn('id', 'bigint', { nullable: false }),
    testColumn('at', 'datetime2', { scale: 3, nullable: false }),
    testColumn('sensor', 'int', { nullable: false }),
    testColumn('note', 'nvarchar', { maxLength: 100, nullable: true }),
    testColumn('place', 'geography', { nullable: false }),
  ];
  const index = (names: string[], properties: Partial<TableIndex> = {}): TableIndex => ({
    primary: false,
    unique: false,
    clustered: false,
    columns: keys(...names),
    ...properties,
  });
  const namesOf = ({ columns: ordered }: RowOrder): string[] => ordered.map(({ name }) => name);

  it('is that of the clustered key', () => {
    const order = rowOrder(description([index(['id'], { primary: true, unique: true, clustered: true })], columns));
    expect(namesOf(order)).toEqual(['id']);
    expect(order.stored).toEqual(keys('id'));
  });

  it('adds the primary key to a clustered index that is not unique, so that equal values split too', () => {
    const order = rowOrder(
      description([index(['at'], { clustered: true }), index(['id'], { primary: true, unique: true })], columns),
    );
    expect(namesOf(order)).toEqual(['at', 'id']);
    expect(order.stored).toEqual(keys('at'));
  });

  it('is that of the primary key of a heap, or of another unique index, and asks for no order in storage', () => {
    const heap = rowOrder(
      description([index(['sensor', 'at'], { unique: true }), index(['id'], { primary: true, unique: true })], columns),
    );
    expect(namesOf(heap)).toEqual(['id']);
    expect(heap.stored).toEqual([]);
    expect(namesOf(rowOrder(description([index(['sensor', 'at'], { unique: true })], columns)))).toEqual([
      'sensor',
      'at',
    ]);
  });

  it('ends before a column that may be NULL or has no order, and is none without a key', () => {
    expect(namesOf(rowOrder(description([index(['at', 'note'], { clustered: true, unique: true })], columns)))).toEqual(
      ['at'],
    );
    expect(namesOf(rowOrder(description([index(['place'], { unique: true })], columns)))).toEqual([]);
    expect(namesOf(rowOrder(description([], columns)))).toEqual([]);
  });

  it('finds boundaries by counting rows, in the database', () => {
    const order = rowOrder(
      description([index(['sensor', 'at'], { primary: true, unique: true, clustered: true })], columns),
    );
    const statement = boundariesStatement(table, order, {
      splitRows: 1000,
      estimatedRows: 5000,
      condition: 't.[id] > 5',
    });
    expect(statement).toContain('ROW_NUMBER() OVER (ORDER BY t.[sensor], t.[at])');
    expect(statement).toContain('WHERE t.[id] > 5');
    expect(statement).toContain('(q.n - 1) % 1000 = 0');
    expect(statement).toContain('CONVERT(nvarchar(4000), q.k1, 121)');
  });

  it('makes splits larger rather than without number', () => {
    const order = rowOrder(description([index(['id'], { primary: true, unique: true })], columns));
    expect(boundariesStatement(table, order, { splitRows: 1, estimatedRows: 1_000_000_000 })).toContain('% 10000 = 0');
    expect(boundariesStatement(table, order, { splitRows: 1, estimatedRows: 10 })).toContain('% 1 = 0');
  });
});
