import { expect, test } from 'vitest';
import { bytesText, countText, durationText, tableText } from './figures.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [86_400_000, '86 MB'],
  [999_700_000, '1.0 GB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [0, '0'],
  [99_999, '99,999'],
  [300_000, '300k'],
  [5_230_000, '5.23M'],
  [1_500_000_000, '1.50G'],
])('a count of %i is %s', (count, text) => {
  expect(countText(count)).toBe(text);
});

test.each([
  [0.4, '0:00'],
  [61, '1:01'],
  [3_725, '1:02:05'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test('cells stand below each other', () => {
  expect(
    tableText([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toEqual(['a    bb', 'ccc  d']);
});
