import { expect, test } from 'vitest';
import { momentText } from './moment-text.ts';

test('a moment of today is a time, of another day a date as well', () => {
  const now = new Date(2026, 2, 14, 15, 0, 0).getTime();
  expect(momentText(new Date(2026, 2, 14, 9, 5, 7).getTime(), now)).toBe('09:05:07');
  expect(momentText(new Date(2016, 0, 1, 15, 30).getTime(), now)).toBe('1 Jan 2016 15:30');
});
