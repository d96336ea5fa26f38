import { expect, test } from 'vitest';
import { bytesText, countText, durationText, plural, rateText, shown } from './figures.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [2_345_678, '2.3 MB'],
  [86_400_000, '86 MB'],
  [999_700_000, '1.0 GB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567, '1,234,567'],
  [1_234.6, '1,235'],
  [undefined, '–'],
])('a count of %s is %s', (count, text) => {
  expect(countText(count)).toBe(text);
});

test.each([
  [812.4, '812/s'],
  [91_666.6, '91,667/s'],
  [0.25, '0.3/s'],
  [0, '0/s'],
  [9.97, '10/s'],
  [undefined, '–/s'],
])('a rate of %s is %s', (rate, text) => {
  expect(rateText(rate)).toBe(text);
});

test.each([
  [400, '0:00:00'],
  [83_999, '0:01:23'],
  [3_725_000, '1:02:05'],
  [36_000_000, '10:00:00'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('one is one, others are several', () => {
  expect([plural(1, 'file'), plural(0, 'file'), plural(1_000, 'file')]).toEqual(['1 file', '0 files', '1,000 files']);
});

test('text from outside cannot steer the terminal', () => {
  expect(shown('a\x1b[2Jb\u202ec\n', 40)).toBe('a?[2Jb?c?');
  expect(shown('abcdef', 4)).toBe('abc…');
});
