import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { hiveRow } from '../../grid/history/hive-text.ts';
import type { ImportColumn, TablePlan } from '../../grid/history/sql-source.ts';
import { RowLines } from './row-lines.ts';
import { wireRows } from './test-rows.ts';
import type { PeerColumn, PeerValue } from './test-tokens.ts';

const column = (name: string, hiveType: string, sourceType = 'nvarchar(10)'): ImportColumn => ({
  name,
  hiveType,
  sourceType,
  expression: '',
});
const planOf = (...columns: ImportColumn[]): TablePlan => ({
  table: { schema: 'dbo', name: 'telemetry' },
  columns,
  remarks: [],
  key: [],
  identity: '',
  splits: [],
  estimatedRows: 0,
  estimatedBytes: 0,
});
const sha = (text: string): string => createHash('sha256').update(text, 'utf16le').digest('binary');

/** What is made of rows, and their hashes. */
function linesOf(plan: TablePlan, columns: readonly PeerColumn[], rows: readonly (readonly PeerValue[])[]) {
  const lines = new RowLines(plan, 0);
  const hashes: string[] = [];
  for (const row of wireRows(columns, rows)) hashes.push(lines.add(row));
  return { lines, hashes };
}

describe('lines from rows of SQL Server', () => {
  it('have each kind of value as Hive reads it, and a hash of the values as the server has them', () => {
    const plan = planOf(
      column('id', 'BIGINT', 'bigint'),
      column('small', 'SMALLINT', 'tinyint'),
      column('on', 'BOOLEAN', 'bit'),
      column('guid', 'STRING', 'uniqueidentifier'),
      column('price', 'DECIMAL(19,4)', 'money'),
      column('note', 'STRING'),
      column('code', 'BINARY', 'varbinary(8)'),
    );
    const guid = Buffer.from('2547980e1cc5f44b9960e1c80e27aba0', 'hex');
    const { lines, hashes } = linesOf(
      plan,
      ['bigint', 'tinyint', 'bit', 'guid', 'characters', 'text', 'bytes'],
      [
        ['-9223372036854775808', '255', true, guid, '-1.2300', 'tab\t\\N\r\n😀', Buffer.from('deadbeef', 'hex')],
        ['9007199254740993', '0', false, null, null, '', Buffer.alloc(0)],
        [null, null, null, guid, '0.0001', null, null],
      ],
    );
    expect(lines.take().toString()).toBe(
      [
        '-9223372036854775808\t255\ttrue\t0E984725-C51C-4BF4-9960-E1C80E27ABA0\t-1.2300\ttab\\\t\\\\N\\r\\n😀\t3q2+7w==\n',
        '9007199254740993\t0\tfalse\t\\N\t\\N\t\t\n',
        '\\N\t\\N\t\\N\t0E984725-C51C-4BF4-9960-E1C80E27ABA0\t0.0001\t\\N\t\\N\n',
      ].join(''),
    );
    expect(lines.empty).toBe(true);
    expect(hashes).toEqual(
      [
        '-9223372036854775808\t255\t1\t0E984725-C51C-4BF4-9960-E1C80E27ABA0\t-1.2300\t20:tab\t\\N\r\n😀\t0xDEADBEEF',
        '9007199254740993\t0\t0\t\t\t0:\t0x',
        '\t\t\t0E984725-C51C-4BF4-9960-E1C80E27ABA0\t0.0001\t:\t',
      ].map(sha),
    );
  });

  it('are what the rules of the text format say, for all texts and integers', () => {
    const plan = planOf(column('n', 'BIGINT', 'bigint'), column('a', 'STRING'), column('b', 'STRING'));
    const text = fc.option(fc.string({ unit: fc.constantFrom('a', '\t', '\\', '\n', '\r', 'é', '😀', '\0', 'N') }));
    const number = fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, text, text), { minLength: 1, maxLength: 10 }), (rows) => {
        const { lines } = linesOf(plan, ['bigint', 'text', 'large'], rows);
        expect(lines.take().toString('utf8')).toBe(rows.map((row) => `${hiveRow(row)}\n`).join(''));
      }),
    );
  });

  it('have different hashes where values differ, wherever their borders lie', () => {
    const plan = planOf(column('a', 'STRING'), column('b', 'STRING'));
    const { hashes } = linesOf(
      plan,
      ['text', 'text'],
      [
        ['a\t2:b', 'c'],
        ['a', '2:b\t2:c'],
        ['', null],
        [null, ''],
        ['', ''],
        [null, null],
      ],
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('are refused, with the column, when a text has half a character', () => {
    const plan = planOf(column('id', 'INT', 'int'), column('note', 'STRING'));
    const { lines } = linesOf(
      plan,
      ['int', 'text'],
      [
        ['1', 'fine 😀'],
        ['2', 'broken \ud83d'],
      ],
    );
    const take = (): unknown => {
      try {
        return lines.take();
      } catch (error) {
        return error;
      }
    };
    const error = take();
    expect(error).toBeInstanceOf(GridError);
    expect(error).toMatchObject({ code: 'unsupported-column', details: { columns: ['note'] } });
    expect((error as GridError).message).toContain('column note nvarchar(10)');
  });

  it.each([
    ['text for an integer', column('id', 'INT', 'int'), 'text', '1'],
    ['characters of a code page for a text', column('note', 'STRING'), 'characters', 'x'],
    ['letters for a number', column('price', 'DECIMAL(19,4)', 'money'), 'characters', 'é'],
  ] as const)('are refused when the server sends %s', (_, asked, wire, value) => {
    expect(() => linesOf(planOf(asked), [wire], [[value]])).toThrow(
      expect.objectContaining({ code: 'unsupported-server' }) as Error,
    );
  });

  it('are handed on in chunks of bounded size', () => {
    const plan = planOf(column('a', 'STRING'));
    const lines = new RowLines(plan, 0);
    let rows = 0;
    while (!lines.full) {
      for (const row of wireRows(['text'], [['x'.repeat(1_023)]])) lines.add(row);
      rows++;
    }
    expect(rows).toBe(512);
    expect(lines.take()).toHaveLength(512 * 1_024);
  });

  it('outlive rows of any size', () => {
    const large = 'é\t'.repeat(2 ** 20);
    const { lines } = linesOf(planOf(column('a', 'STRING')), ['large'], [[large], ['x']]);
    expect(lines.take().toString('utf8')).toBe(`${large.replaceAll('\t', '\\\t')}\nx\n`);
  });
});
