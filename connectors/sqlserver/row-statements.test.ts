import { describe, expect, it } from 'vitest';
import type { TablePlan } from '../../grid/history/sql-source.ts';
import type { CatalogueColumn } from './catalogue.ts';
import { countsStatement, isLarge, rowsStatement, rowText } from './row-statements.ts';
import { parseSplit, splitsBetween, type RowOrder } from './splits.ts';
import { testColumn } from './test-columns.ts';
import { mapColumns } from './types.ts';

const order: RowOrder = { columns: [{ name: 'id', declaration: 'int' }], stored: [{ name: 'id', descending: true }] };
const mapped = (...columns: CatalogueColumn[]): TablePlan['columns'] =>
  mapColumns(columns, 'refuse', { exactFloats: true }).columns;
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
  it('join the fields with TAB, and hash what they return', () => {
    const plan = planOf(mapped(id, text('note', 20)));
    const statement = rowsStatement(plan, splitOf(plan, 1), 'text and hash');
    expect(statement).toMatch(
      /^SELECT x\.r, HASHBYTES\('SHA2_256', x\.r\) FROM \[odd\]\]schema\]\.\[telemetry\] AS t CROSS APPLY \(SELECT CONCAT\(N''/,
    );
    expect(statement).toContain(', NCHAR(9), ISNULL(REPLACE(');
    expect(statement).toContain("WHERE (t.[id] >= CONVERT(int, N'10'))");
    expect(statement).toMatch(/ORDER BY t\.\[id\] DESC$/);
  });

  it('ask for hashes alone, in any order', () => {
    const plan = planOf(mapped(id));
    const statement = rowsStatement(plan, splitOf(plan, 0), 'hash');
    expect(statement).toMatch(/^SELECT HASHBYTES\('SHA2_256', x\.r\) FROM /);
    expect(statement).not.toContain('ORDER BY');
  });

  it('add what an incremental import chooses', () => {
    const plan = planOf(mapped(id), { condition: 't.[rv] >= 0x01 OR 1 = 0' });
    expect(rowsStatement(plan, splitOf(plan, 0), 'text')).toContain(
      "WHERE (t.[rv] >= 0x01 OR 1 = 0) AND (t.[id] < CONVERT(int, N'10'))",
    );
  });

  it('are cut nowhere: what may exceed 4,000 characters is concatenated as nvarchar(max)', () => {
    const bounded = mapped(id, text('a', 900), text('b', 900));
    expect(isLarge(bounded)).toBe(false);
    expect(rowText(bounded)).not.toContain('(max)');
    const wide = mapped(id, text('a', 900), text('b', 900), text('c', 900));
    expect(isLarge(wide)).toBe(true);
    expect(rowText(wide)).toMatch(/^CONCAT\(CONVERT\(nvarchar\(max\), N''\), /);
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
    const statement = rowsStatement(plan, splitOf(plan, 0), 'text');
    expect(statement).toContain(
      'CASE WHEN 1 * ISNULL(CONVERT(bigint, DATALENGTH(t.[note])), 0) + 2 * ISNULL(CONVERT(bigint, DATALENGTH(t.[legacy])), 0) + 4 * ISNULL(CONVERT(bigint, DATALENGTH(t.[picture])), 0) <= 67108864 THEN',
    );
  });

  it('stay within what CONCAT takes, for the widest tables', () => {
    const columns = mapped(...Array.from({ length: 1_024 }, (_, at) => testColumn(`c${at}`, 'int')));
    const expression = rowText(columns);
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
    for (const at of [0, 99, 100, 1_023]) expect(expression).toContain(`t.[c${at}])`);
  });

  it('count within the horizon of the plan', () => {
    const plan = planOf(mapped(id), { condition: 't.[rv] >= 5', splits: splitsBetween(order, [], 't.[rv] < 9') });
    const statement = countsStatement(plan, splitOf(plan, 0));
    expect(statement).toContain('COUNT_BIG(CASE WHEN t.[rv] >= 5 THEN 1 END)');
    expect(statement).toMatch(/WHERE \(t\.\[rv\] < 9\)$/);
  });
});
