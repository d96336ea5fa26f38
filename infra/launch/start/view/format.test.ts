import { expect, test } from 'vitest';
import { bytesText, countText, durationText, momentText, plural, rateText, shown } from './format.ts';

test('figures are written for people', () => {
  expect([countText(1_234_567), countText(undefined), rateText(812.4), rateText(0.25), rateText(undefined)]).toEqual([
    '1,234,567',
    '–',
    '812/s',
    '0.3/s',
    '–/s',
  ]);
  expect([bytesText(0), bytesText(999), bytesText(2_345_678), bytesText(81_000_000_000)]).toEqual([
    '0 B',
    '999 B',
    '2.3 MB',
    '81 GB',
  ]);
  expect([plural(1, 'file'), plural(1_000, 'file')]).toEqual(['1 file', '1,000 files']);
  expect([durationText(83_999), durationText(36_000_000)]).toEqual(['0:01:23', '10:00:00']);
});

test('a moment of today is a time, of another day a date as well', () => {
  const now = new Date(2026, 2, 14, 15, 0, 0).getTime();
  expect(momentText(new Date(2026, 2, 14, 9, 5, 7).getTime(), now)).toBe('09:05:07');
  expect(momentText(new Date(2016, 0, 1, 15, 30).getTime(), now)).toBe('1 Jan 2016 15:30');
});

test('text from outside cannot steer the terminal', () => {
  expect(shown('a\x1b[2Jb\u202ec\n', 40)).toBe('a?[2Jb?c?');
  expect(shown('abcdef', 4)).toBe('abc…');
});
