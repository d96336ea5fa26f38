import { expect, test } from 'vitest';
import { isPhysical } from './physical-range.ts';

test.each([
  [50.02, 'Hz', true],
  [-1, 'Hz', false],
  [380, 'kV', true],
  [380_000, 'kV', false],
  [-274, '°C', false],
  [1e9, 'an unknown unit', true],
  [Number.NaN, '', false],
  [Number.POSITIVE_INFINITY, 'MW', false],
])('%d %s: %s', (value, unit, expected) => {
  expect(isPhysical(value, unit)).toBe(expected);
});
