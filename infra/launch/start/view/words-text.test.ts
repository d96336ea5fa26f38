import { expect, test } from 'vitest';
import { wordsNews } from './words-text.ts';

test('tells totals, words, and what to ask next', () => {
  const news = wordsNews({
    kind: 'done',
    result: {
      question: 'q',
      of: '/texts/samples',
      tokenizer: 'space',
      caseSensitive: true,
      total: 12_345,
      distinct: 678,
      emptyTokens: 9,
      words: [{ word: 'the', count: 321 }],
      top: [{ word: '', count: 9 }],
      perFileLeftOut: 0,
      coverage: {
        files: 2,
        bytes: 10,
        readDirectly: 2,
        readConverted: 0,
        empty: 0,
        skippedFiles: 0,
        skippedBytes: 0,
        skipped: [],
      },
      sql: [],
      answeredFrom: 'hive',
      countedAt: '2024-02-29T00:00:00.000Z',
      durationMs: 1,
    },
  });
  expect(news?.split('\n')).toEqual([
    'Counted the words of 2 texts in HDFS (/texts/samples) by Hive: 12,345, of which 678 are different.',
    '  Asked for: the 321. Most frequent: (empty) 9.',
    `  Ask for others: npm run job -- countWords --input '{"path": "/texts/samples", "words": ["grid"], "tokenizer": "unicode"}'`,
  ]);
});

test('says what to do when it failed, and nothing when it was interrupted', () => {
  expect(wordsNews({ kind: 'failed', message: 'Hive is away.' })).toBe(
    'The words of the sample texts were not counted: Hive is away. Readings stream on; `npm run job -- countWords` tries again.',
  );
  expect(wordsNews({ kind: 'interrupted' })).toBeUndefined();
});
