import { describe, expect, it } from 'vitest';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import type { CatalogueColumn } from './catalogue.ts';
import { countsStatement, digestStatement, hashedText, isLarge, rowLayout, rowsStatement } from './row-statements.ts';
import { parseSplit, splitsBetween, type RowOrder } from './splits.ts';
import { testColumn } from './test-columns.ts';
import { mapColumns } from './types.ts';

const order: RowOrder = { columns: [{ name: 'id', declaration: 'int' }], stored: [{ name: 'id', descending: true }] };
const mapped = (...columns: CatalogueColumn[]): TablePlan['columns'] =>
  mapColumns(columns, 'refuse', { inexact: new Map() }).columns;
const planOf = (columns: TablePlan['columns'], more: Partial<TablePlan> = {}): TablePlan => ({
  table: { schema: 'odd]schema', name: 'telemetry' },
  columns,
  remarks: [],
  key: ['id'],
  identity: '',
  splits: splitsBetween(order, [['10']], undefined),
  estimatedRows: 0,
  estimatedBytes: 0,
  ...more,
});
const splitOf = (plan: TablePlan, at: number) => parseSplit(plan.table, plan.splits[at] ?? {});
const id = testColumn('id', 'int');
const text = (name: string, characters: number): CatalogueColumn =>
  testColumn(name, 'nvarchar', { maxLength: characters * 2 });

describe('statements that read rows', () => {
  it('ask for values as they are stored, and hash them with what tells their borders', () => {
    const plan = planOf(mapped(id, text('note', 20), testColumn('on', 'bit'), testColumn('price', 'money')));
    const statement = rowsStatement(plan, splitOf(plan, 1), true);
    expect(statement).toMatch(
      /^SELECT v\.c0, v\.c1, v\.c2, v\.c3, CONVERT\(binary\(16\), HASHBYTES\('SHA2_256', CONCAT\(N'', v\.c0, /,
    );
    expect(statement).toContain("NCHAR(9), DATALENGTH(v.c1), N':', v.c1 COLLATE Latin1_General_BIN2, NCHAR(9), v.c2");
    expect(statement).toContain(
      'FROM [odd]]schema].[telemetry] AS t CROSS APPLY (SELECT t.[id] AS c0, t.[note] AS c1, t.[on] AS c2, CONVERT(varchar(22), t.[price], 2) AS c3) AS v',
    );
    expect(statement).toContain("WHERE (t.[id] >= CONVERT(int, N'10'))");
    expect(statement).toMatch(/ORDER BY t\.\[id\] DESC$/);
    expect(rowLayout(plan, true)).toEqual({ valuesAt: 0, hashAt: 4 });
    expect(rowsStatement(plan, splitOf(plan, 1), false)).not.toContain('HASHBYTES');
    expect(rowLayout(plan, false)).toEqual({ valuesAt: 0 });
  });

  it('hash GUIDs and binary values as text that is written in one way only', () => {
    const plan = planOf(mapped(testColumn('g', 'uniqueidentifier'), testColumn('b', 'varbinary', { maxLength: 8 })));
    expect(hashedText(plan.columns)).toBe(
      "CONCAT(N'', CONVERT(varchar(36), v.c0), NCHAR(9), CONVERT(varchar(18), v.c1, 1))",
    );
  });

  it('ask for the digest alone, without any row', () => {
    const plan = planOf(mapped(id));
    const statement = digestStatement(plan, splitOf(plan, 0));
    expect(statement).toMatch(
      /^SELECT CONVERT\(varchar\(20\), COUNT_BIG\(\*\)\), CONVERT\(varchar\(20\), COUNT_BIG\(h\.h\)\), /,
    );
    expect(statement.match(/SUM\(CONVERT\(bigint, SUBSTRING\(h\.h, \d+, 4\)\)\)/g)).toHaveLength(4);
    expect(statement).toContain("WHERE (t.[id] < CONVERT(int, N'10'))");
    expect(statement).not.toContain('ORDER BY');
  });

  it('add what an incremental import chooses', () => {
    const plan = planOf(mapped(id), { condition: 't.[rv] >= 0x01 OR 1 = 0' });
    for (const statement of [rowsStatement(plan, splitOf(plan, 0), false), digestStatement(plan, splitOf(plan, 0))]) {
      expect(statement).toContain("WHERE (t.[rv] >= 0x01 OR 1 = 0) AND (t.[id] < CONVERT(int, N'10'))");
    }
  });

  it('hash nothing that is cut: what may exceed 4,000 characters is concatenated as nvarchar(max)', () => {
    const bounded = mapped(id, text('a', 1_900), text('b', 1_900));
    expect(isLarge(bounded)).toBe(false);
    expect(hashedText(bounded)).not.toContain('(max)');
    const wide = mapped(id, text('a', 1_900), text('b', 1_900), text('c', 400));
    expect(isLarge(wide)).toBe(true);
    expect(hashedText(wide)).toMatch(/^CONCAT\(CONVERT\(nvarchar\(max\), N''\), /);
    const binary = mapped(testColumn('b', 'varbinary', { maxLength: 8_000 }));
    expect(hashedText(binary)).toBe("CONCAT(CONVERT(nvarchar(max), N''), CONVERT(varchar(max), v.c0, 1))");
  });

  it('do not let one huge row through memory', () => {
    const plan = planOf(
      mapped(
        id,
        testColumn('note', 'nvarchar', { maxLength: -1 }),
        testColumn('legacy', 'text'),
        testColumn('picture', 'varbinary', { maxLength: -1 }),
      ),
    );
    const statement = rowsStatement(plan, splitOf(plan, 0), false);
    expect(statement).toContain(
      'CROSS APPLY (SELECT CASE WHEN 1 * ISNULL(CONVERT(bigint, DATALENGTH(t.[note])), 0) + 2 * ISNULL(CONVERT(bigint, DATALENGTH(t.[legacy])), 0) + 4 * ISNULL(CONVERT(bigint, DATALENGTH(t.[picture])), 0) <= 67108864 THEN 1 ELSE 0 END AS fits) AS f',
    );
    expect(statement).toMatch(/^SELECT f\.fits, v\.c0, v\.c1, v\.c2, v\.c3 FROM /);
    expect(statement).toContain('CASE WHEN f.fits = 1 THEN t.[note] END AS c1');
    expect(rowLayout(plan, true)).toEqual({ fitsAt: 0, valuesAt: 1, hashAt: 5 });
    expect(digestStatement(plan, splitOf(plan, 0))).toContain(
      'CASE WHEN f.fits = 1 THEN CONVERT(binary(16), HASHBYTES(',
    );
  });

  it('stay within what CONCAT takes, for the widest tables', () => {
    const columns = mapped(
      ...Array.from({ length: 1_024 }, (_, at) => testColumn(`c${at}`, at % 2 === 0 ? 'int' : 'nvarchar')),
    );
    const expression = hashedText(columns);
    let depth = 0;
    const argumentsOf: number[] = [];
    const most: number[] = [];
    for (const [index, character] of Array.from(expression).entries()) {
      if (character === '(') {
        depth++;
        argumentsOf[depth] = expression.slice(0, index).endsWith('CONCAT') ? 1 : Number.NEGATIVE_INFINITY;
      } else if (character === ',') argumentsOf[depth] = (argumentsOf[depth] ?? 0) + 1;
      else if (character === ')') {
        most.push(argumentsOf[depth] ?? 0);
        depth--;
      }
    }
    expect(Math.max(...most)).toBeLessThanOrEqual(254);
    expect(expression.match(/NCHAR\(9\)/g)).toHaveLength(1_023);
    for (const at of [0, 99, 100, 1_023]) expect(expression).toContain(`v.c${at}`);
  });

  it('count within the horizon of the plan', () => {
    const plan = planOf(mapped(id), { condition: 't.[rv] >= 5', splits: splitsBetween(order, [], 't.[rv] < 9') });
    const statement = countsStatement(plan, splitOf(plan, 0));
    expect(statement).toContain('COUNT_BIG(CASE WHEN t.[rv] >= 5 THEN 1 END)');
    expect(statement).toMatch(/WHERE \(t\.\[rv\] < 9\)$/);
  });
});
