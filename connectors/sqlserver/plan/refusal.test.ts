import { expect, it } from 'vitest';
import { GridError } from '../../../grid/errors.ts';
import type { ColumnRemark } from '../../../grid/history/sql-source.ts';
import { refuseUnkeepable } from './refusal.ts';

const table = { schema: 'dbo', name: 'telemetry' };
const refused = (column: string, reason: string): ColumnRemark => ({
  column,
  sourceType: 'vector',
  reason,
  done: 'refused',
});

function refusalOf(remarks: readonly ColumnRemark[]): GridError {
  try {
    refuseUnkeepable(table, { columns: [], remarks });
  } catch (error) {
    if (error instanceof GridError) return error;
  }
  throw new Error('not refused');
}

it('names all columns that cannot be kept, those of one reason together, behind the advice', () => {
  const names = Array.from({ length: 14 }, (_, at) => `column_with_a_long_name_${at}`);
  const error = refusalOf([...names.map((name) => refused(name, 'it is encrypted')), refused('other', 'it is masked')]);
  expect(error.code).toBe('unsupported-column');
  for (const name of [...names, 'other']) expect(error.message).toContain(`${name} (vector)`);
  expect(error.message.match(/it is encrypted/g)).toHaveLength(1);
  expect(error.message.indexOf('onUnsupported')).toBeLessThan(error.message.indexOf('column_with'));
});

it('has a bound, and says how many more there are', () => {
  const error = refusalOf(Array.from({ length: 1_024 }, (_, at) => refused(`c${at}`, 'it is encrypted')));
  expect(error.message).toContain('and 924 more');
  expect(error.details).toMatchObject({ columns: { length: 1_024 } });
});

it('refuses a table of which nothing is left, and no other', () => {
  expect(refusalOf([{ ...refused('a', 'x'), done: 'left out' }]).message).toContain('no column of it can be imported');
  const column = { name: 'id', sourceType: 'int', hiveType: 'INT', expression: 't.[id]' };
  expect(() => {
    refuseUnkeepable(table, { columns: [column], remarks: [{ ...refused('a', 'x'), done: 'left out' }] });
  }).not.toThrow();
});
