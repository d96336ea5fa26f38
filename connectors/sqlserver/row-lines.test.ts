import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import type { ImportColumn, TablePlan } from '../../grid/history/sql-source.ts';
import { RowLines, withBase64 } from './row-lines.ts';

const column = (name: string, hiveType: string): ImportColumn => ({
  name,
  hiveType,
  sourceType: 'nvarchar(10)',
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

describe('lines from rows of SQL Server', () => {
  it('end in LF and are UTF-8', () => {
    const lines = new RowLines(planOf(column('a', 'INT'), column('b', 'STRING')));
    lines.add('1\tGröße');
    lines.add('2\t😀\0');
    expect(lines.take().toString('utf8')).toBe('1\tGröße\n2\t😀\0\n');
    expect(lines.empty).toBe(true);
  });

  it('have binary fields in base64, behind escaped neighbours, NULL and empty ones included', () => {
    const lines = new RowLines(planOf(column('a', 'STRING'), column('b', 'BINARY'), column('c', 'BINARY')));
    lines.add('tab\\\tback\\\\\tDEADBEEF\t\\N');
    lines.add('\\N\t\t00FF');
    expect(lines.take().toString()).toBe('tab\\\tback\\\\\t3q2+7w==\t\\N\n\\N\t\tAP8=\n');
    expect(withBase64('0x', [])).toBe('0x');
  });

  it('are refused, with the column, when a text has half a character', () => {
    const lines = new RowLines(planOf(column('id', 'INT'), column('note', 'STRING')));
    lines.add('1\tfine 😀');
    lines.add('2\tbroken \ud83d');
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

  it('are handed on in chunks of bounded size', () => {
    const lines = new RowLines(planOf(column('a', 'STRING')));
    let rows = 0;
    do rows++;
    while (!lines.add('x'.repeat(1023)));
    expect(rows).toBe(512);
  });
});
