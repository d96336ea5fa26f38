import { expect, test } from 'vitest';
import { asText, formatOf, type Rows } from './rows.ts';

const rows: Rows = {
  name: 'rows',
  columns: ['id', 'value'],
  head: {},
  page: [
    { id: '=HYPERLINK("x")', value: '-1.50' },
    { id: 'a "b", c\nd', value: null },
  ],
  next: 'more',
  following: () => Promise.resolve({ page: [{ id: 'z', value: 3 }], next: undefined }),
};
const all = async (format: 'csv' | 'ndjson', isWhole: boolean) => {
  let text = '';
  for await (const part of asText(rows, format, isWhole)) text += part;
  return text;
};

test('CSV quotes what it must, keeps numbers, and nothing of others is a formula', async () => {
  expect(await all('csv', true)).toBe('id,value\r\n"\'=HYPERLINK(""x"")",-1.50\r\n"a ""b"", c\nd",\r\nz,3\r\n');
});

test('a page, or all pages', async () => {
  expect((await all('ndjson', false)).trimEnd().split('\n')).toHaveLength(2);
  expect(
    (await all('ndjson', true))
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id),
  ).toEqual(['=HYPERLINK("x")', 'a "b", c\nd', 'z']);
});

test('the parameter decides, then what is accepted most', () => {
  expect(formatOf('csv', 'application/json')).toBe('csv');
  expect(formatOf(undefined, undefined)).toBe('json');
  expect(formatOf(undefined, 'text/html, text/csv;q=0.5, application/x-ndjson;q=0.9')).toBe('ndjson');
  expect(formatOf(undefined, 'text/html,*/*;q=0.8')).toBe('json');
  expect(formatOf(undefined, 'image/png')).toBe('json');
});
