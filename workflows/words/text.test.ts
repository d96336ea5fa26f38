import { expect, test } from 'vitest';
import type { WordsResult } from './contract.ts';
import { wordsText } from './text.ts';

const result: WordsResult = {
  question: 'q',
  of: '/books',
  tokenizer: 'space',
  caseSensitive: true,
  total: 1_200,
  distinct: 300,
  emptyTokens: 12,
  words: [{ word: 'the', count: 40 }],
  top: [{ word: '', count: 12 }],
  perFile: [{ path: '/books/a.txt', total: 1_200, distinct: 300, words: [40] }],
  perFileLeftOut: 3,
  perFilePath: '/analysis/word-counts/1.jsonl',
  coverage: {
    files: 3,
    bytes: 5_000,
    readDirectly: 1,
    readConverted: 1,
    empty: 0,
    skippedFiles: 1,
    skippedBytes: 100,
    skipped: [{ path: '/books/x.png', bytes: 100, reason: 'binary: byte 0 at 4' }],
  },
  sql: [],
  answeredFrom: 'hive',
  countedAt: '2024-02-29T00:00:00.000Z',
  durationMs: 61_000,
};

test('a result is told with its totals, coverage, words and files', () => {
  expect(wordsText.result(result)).toMatchObject({
    title: 'Words of /books',
    headline: "1,200 words, of which 12 are empty (SPLIT(line, ' ') makes them), 300 different",
    sentences: [
      'Counted by Hive in 0:01:01.',
      '3 files, 5.0 kB: 1 through a copy in UTF-8, 1 (100 B) not counted.',
      'The counts of 3 more files are left out; those of all are in /analysis/word-counts/1.jsonl.',
    ],
    tables: [
      { rows: [['the', '40']] },
      { rows: [['(empty)', '12']] },
      { rows: [['/books/a.txt', '1,200', '300', '40']] },
      { rows: [['/books/x.png', '100 B', 'binary: byte 0 at 4']] },
    ],
  });
});

test('a kept answer says that it is kept, and of when', () => {
  expect(wordsText.result({ ...result, answeredFrom: 'kept' }).sentences[0]).toBe(
    'The same question about the same files was answered on 2024-02-29T00:00:00.000Z; that answer is kept.',
  );
});

test('progress names what is counted, and how much', () => {
  const progress = { of: '', phase: 'counting', files: 2, bytes: 1_000, skippedFiles: 1 } as const;
  expect(wordsText.progress(progress)).toEqual({
    title: 'Words of the sample texts',
    headline: 'counting 2 files, 1.0 kB, 1 of them not counted',
  });
});
