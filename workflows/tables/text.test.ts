import { expect, test } from 'vitest';
import { tablesInput, type TableResult } from './contract.ts';
import { tablesText } from './text.ts';

const table: TableResult = {
  name: 'default.text_files',
  outcome: 'mended',
  columnsAdded: [],
  notes: ['the partition /b had been dropped by hand, and is there again'],
  shows: ['/a', '/b'],
  files: 3,
  bytes: 4_000,
};

test('a build is told by what came of each table', () => {
  const missing: TableResult = {
    ...{ name: 'default.text_legacy', outcome: 'left out', columnsAdded: [], shows: [] },
    notes: ['/unorganized/text is not there yet'],
  };
  expect(tablesText.result({ tables: [table, missing], durationMs: 2_000 })).toMatchObject({
    headline: '2 tables: 1 mended, 1 left out',
    sentences: [
      'Looked at in 0:00:02.',
      'default.text_files: the partition /b had been dropped by hand, and is there again.',
      'default.text_legacy: /unorganized/text is not there yet.',
    ],
    tables: [
      {
        rows: [
          ['default.text_files', 'mended', '/a and 1 more', '3', '4.0 kB'],
          ['default.text_legacy', 'left out', '', '', ''],
        ],
      },
    ],
  });
  expect(tablesText.progress({ phase: 'texts', tables: 0 }).headline).toBe('texts');
});

test('tables of text are asked for by name and directories', () => {
  expect(tablesInput.parse({})).toEqual({ texts: {} });
  expect(tablesInput.parse({ texts: { books: ['/a/b/', '/a/bc', '/ü/x y'] } })).toEqual({
    texts: { books: ['/a/b', '/a/bc', '/ü/x y'] },
  });
});

test.each([
  [{ texts: { books: [] } }, 'texts.books'],
  [{ texts: { books: ['/a/b', '/a'] } }, 'lies in another'],
  [{ texts: { books: ['/a', '/a-b', '/a/'] } }, 'twice'],
  [{ texts: { books: ['a'] } }, 'absolute path'],
  [{ texts: { books: ['/'] } }, 'absolute path'],
  [{ texts: { books: ['/a/_b'] } }, 'begins with _'],
  [{ texts: { books: ['/a/../b'] } }, 'begins with _'],
  [{ texts: { books: ['/a/*'] } }, 'holds *'],
  [{ texts: { Books: ['/a'] } }, 'lower-case'],
  [{ texts: { books__old: ['/a'] } }, 'two underscores'],
  [{ texts: { telemetry_legacy: ['/a'] } }, 'shows something else'],
])('%j is refused', (input, problem) => {
  const { error } = tablesInput.safeParse(input);
  expect(
    `${error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join()} ${JSON.stringify(error?.issues)}`,
  ).toContain(problem);
});
