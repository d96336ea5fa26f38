import { expect, test } from 'vitest';
import { addFigures, areEqual, figuresOf, NO_FIGURES, sumText } from './day-figures.ts';

test.each([
  [['3', '-2', '-500000000000000000', '12'], '-2.5'],
  [['1', null, null, null], '0'],
  [['2', '199999999999999999999', '1', '5'], '199999999999999999999.000000000000000001'],
  [['2', '1', '-1', '5'], '0.999999999999999999'],
])('figures of %j add up to %s', (row, sum) => {
  expect(sumText(figuresOf(row).sum)).toBe(sum);
});

test('figures of parts are those of the whole', () => {
  const [one, other] = [figuresOf(['1', '2', '3', '4']), figuresOf(['10', '-20', '30', '40'])];
  expect(areEqual(addFigures(one, other), figuresOf(['11', '-18', '33', '44']))).toBe(true);
  expect(areEqual(addFigures(one, NO_FIGURES), one)).toBe(true);
  expect(areEqual(one, other)).toBe(false);
});
