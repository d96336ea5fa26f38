import { expect, test } from 'vitest';
import { ProblemFilter, withoutRepetitions } from './problem-filter.ts';

test('a problem shows once it has lasted, though its figures change, and must last again after it was gone', () => {
  const filter = new ProblemFilter(5_000);
  expect(filter.lasting(['3 partitions wait'], 0)).toEqual([]);
  expect(filter.lasting(['2 partitions wait', 'Redis is down'], 4_000)).toEqual([]);
  expect(filter.lasting(['1 partitions wait', 'Redis is down'], 5_000)).toEqual(['1 partitions wait']);
  expect(filter.lasting(['Redis is down'], 9_000)).toEqual(['Redis is down']);
  expect(filter.lasting(['3 partitions wait', 'Redis is down'], 10_000)).toEqual(['Redis is down']);
});

test('problems that differ in figures only are told once', () => {
  expect(withoutRepetitions(['I/0 waits', 'Redis is down', 'I/1 waits', 'I/2 waits'])).toEqual([
    'I/0 waits (and 2 alike)',
    'Redis is down',
  ]);
  expect(withoutRepetitions([])).toEqual([]);
});
