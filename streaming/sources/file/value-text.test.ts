import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numberText } from './value-text.ts';

const point = { decimal: '.', thousands: '' } as const;
const comma = { decimal: ',', thousands: '' } as const;
const german = { decimal: ',', thousands: '.' } as const;

/** Digits as meters write them, with zeros at the end that carry the precision. */
const digits = fc.stringMatching(/^-?(?:0|[1-9]\d{0,20})(?:\.\d{1,20})?$/);

test('a JSON number keeps its very text', () => {
  fc.assert(fc.property(digits, (text) => numberText(text, point) === text));
  for (const text of ['5.00E-06', '-6.54E-06', '0.10', '1e3', '-0.0']) expect(numberText(text, point)).toBe(text);
});

test('of a number with a decimal comma only the comma changes', () => {
  fc.assert(fc.property(digits, (text) => numberText(text.replace('.', ','), comma) === text));
});

test('whatever comes out is JSON and the same number', () => {
  const cell = fc.stringMatching(/^[+-]?\d{0,5}(?:\.\d{0,5})?(?:[eE][+-]?\d{1,2})?$/);
  fc.assert(
    fc.property(cell, (text) => {
      const result = numberText(text, point);
      if (result === undefined) return;
      expect(JSON.parse(result)).toBeCloseTo(Number(text), 12);
    }),
  );
});

describe('what JSON does not allow is mended without touching a digit', () => {
  test.each([
    ['+5', '5'],
    ['007', '7'],
    ['000', '0'],
    ['.5', '0.5'],
    ['-.50', '-0.50'],
    ['5.', '5'],
    [' 12.50 ', '12.50'],
    ['01e2', '1e2'],
  ])('%s → %s', (cell, expected) => {
    expect(numberText(cell, point)).toBe(expected);
  });

  test.each([
    ['1.234.567,80', '1234567.80'],
    ['-1.234', '-1234'],
    ['999,5', '999.5'],
  ])('%s → %s with groups', (cell, expected) => {
    expect(numberText(cell, german)).toBe(expected);
  });
});

test.each(['', ' ', '-', '.', ',', 'abc', '1,5', '1 5', '0x10', 'NaN', 'Infinity', '1e999', '1_000', '--1', '1.2.3'])(
  '%j is not a number with a decimal point',
  (cell) => {
    expect(numberText(cell, point)).toBeUndefined();
  },
);

test.each(['1.5', '1.23.456', '12.34,5', '1.2345'])('%j is not a number in groups of three', (cell) => {
  expect(numberText(cell, german)).toBeUndefined();
});
