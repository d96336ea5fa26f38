import { expect, test } from 'vitest';
import { PathFilter } from './path-filter.ts';

test('globs choose files, and keep a crawl out of directories', () => {
  const filter = new PathFilter({ include: ['**/*.csv', 'logs/**'], exclude: ['**/.snapshot/**', '*.tmp'] });
  expect(['a/b.csv', 'b.csv', 'logs/x', '.hidden/b.csv'].map((path) => filter.takesFile(path))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['a.txt', 'x/.snapshot/b.csv'].some((path) => filter.takesFile(path))).toBe(false);
  expect(filter.takesDirectory('x/.snapshot')).toBe(false);
  expect(filter.takesDirectory('x')).toBe(true);
});

test('without globs all is taken', () => {
  const filter = new PathFilter({ include: [], exclude: [] });
  expect([filter.takesFile('.x/%0A'), filter.takesDirectory('a')]).toEqual([true, true]);
});
