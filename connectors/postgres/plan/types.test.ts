import { expect, test } from 'vitest';
import { columnForm, fieldExpression, textForm, type ColumnType } from './types.ts';

const type = (name: string, changes: Partial<ColumnType> = {}): ColumnType => ({
  schema: 'pg_catalog',
  name,
  kind: 'b',
  isArray: false,
  modifier: -1,
  ...changes,
});
/** `atttypmod` of numeric(p,s). */
const modifier = (precision: number, scale: number): number => ((precision << 16) | (scale & 0x7ff)) + 4;

test.each([
  [12, 4, 'DECIMAL(12,4)'],
  [38, 38, 'DECIMAL(38,38)'],
  [1, 0, 'DECIMAL(1,0)'],
  [39, 0, 'STRING'],
  [1000, 1000, 'STRING'],
  [3, 5, 'STRING'],
  [3, -2, 'STRING'],
])('numeric(%i,%i) is %s', (precision, scale, hiveType) => {
  expect(columnForm(type('numeric', { modifier: modifier(precision, scale) }), 2).hiveType).toBe(hiveType);
});

test('numeric without a precision is kept as text', () => {
  expect(columnForm(type('numeric'), 2).hiveType).toBe('STRING');
});

test('money has as many fraction digits as the server says', () => {
  expect(columnForm(type('money'), 0).hiveType).toBe('DECIMAL(19,0)');
});

test('a type of the same name elsewhere, or an array, is text', () => {
  expect(columnForm(type('date', { schema: 'public' }), 2).hiveType).toBe('STRING');
  expect(columnForm(type('_int4', { isArray: true }), 2)).toMatchObject({ hiveType: 'STRING', escape: true });
  expect(columnForm(type('int4', { kind: 'e', schema: 'public' }), 2).hiveType).toBe('STRING');
});

test('only what needs no escapes goes without', () => {
  for (const name of ['uuid', 'inet', 'interval', 'numeric']) expect(textForm(type(name)).escape).toBe(false);
  for (const name of ['text', 'json', 'bpchar', 'tsvector', 'regclass', 'unheard_of']) {
    expect(textForm(type(name)).escape).toBe(true);
  }
  expect(textForm(type('inet', { schema: 'public' })).escape).toBe(true);
});

test('names are quoted wherever they stand', () => {
  const sql = fieldExpression(`a"b'c\\`, columnForm(type('date'), 2), {
    neverNull: false,
    frequent: [],
    proven: false,
  });
  expect(sql).toContain(`r."a""b'c\\"`);
  expect(sql).toContain(`E'a"b''c\\\\ cannot be kept`);
});
