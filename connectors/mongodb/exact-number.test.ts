import { Decimal128, Double } from 'mongodb';
import { expect, test } from 'vitest';
import { exactFraction, exactNumber } from './exact-number.ts';

test.each([
  ['1694902173.122458', 1694902173.122458],
  ['6', 6],
  ['-0.5', -0.5],
])('%s is exact as a double', (text, expected) => {
  expect(exactNumber(text)).toBe(expected);
});

test.each(['1694902173.12245800000000001', '230.10', '9007199254740993', '1694902173.0'])(
  '%s, which a double would change, is a Decimal128 with all its digits',
  (text) => {
    const stored = exactNumber(text);
    expect(stored).toBeInstanceOf(Decimal128);
    expect(String(stored)).toBe(text);
  },
);

test('a number with more than 34 digits is kept as its text', () => {
  const text = `1694902173.${'123456789'.repeat(3)}`;
  expect(exactNumber(text)).toBe(text);
  expect(exactNumber('1e7000')).toBe('1e7000');
});

test('a whole number of seconds is a double like all others', () => {
  expect(exactFraction('1694902173')).toEqual(new Double(1694902173));
});
