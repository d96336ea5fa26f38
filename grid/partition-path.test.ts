import { describe, expect, it } from 'vitest';
import { escapePartitionValue, eventDay } from './partition-path.ts';

describe('eventDay', () => {
  it.each([
    ['1969-12-31', -1],
    ['1990-01-01', 631_152_000_000],
    ['2016-02-29', Date.UTC(2016, 1, 29, 23, 59, 59, 999)],
    ['2016-03-01', Date.UTC(2016, 2, 1)],
  ])('is %s', (day, ms) => {
    expect(eventDay(ms)).toBe(day);
  });
});

describe('escapePartitionValue', () => {
  it.each([
    ['6', '6'],
    ['a:b', 'a%3Ab'],
    ['50%', '50%25'],
    ['ü b', 'ü b'],
    ['..', '%2E%2E'],
    ['', '__HIVE_DEFAULT_PARTITION__'],
    ['a/b=c', 'a%2Fb%3Dc'],
  ])('writes %s as %s', (value, escaped) => {
    expect(escapePartitionValue(value)).toBe(escaped);
  });
});
