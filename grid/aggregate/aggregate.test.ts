import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimalParts } from '../decimal-text.ts';
import { aggregateOf, EMPTY, merged, type Aggregate } from './aggregate.ts';
import { decimalText, exactUnits, unitsOf } from './exact-decimal.ts';

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const plain = fc
  .tuple(fc.constantFrom('', '-'), digits(20), fc.option(digits(20), { nil: undefined }))
  .map(([sign, integer, fraction]) => {
    const whole = integer.replace(/^0+(?=\d)/, '');
    return `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`;
  });
const number = fc.oneof(
  plain,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('0', '-0', '0.0', '1e3', '1E-18', '1e-19', '1.0000000000000000000', '99999999999999999999', '1e20'),
);
const reading = fc.record({
  modality: number,
  createdAt: fc
    .integer({ min: 631_152_000, max: 4_000_000_000 })
    .chain((seconds) =>
      fc.option(digits(9), { nil: undefined }).map((part) => `${seconds}${part === undefined ? '' : `.${part}`}`),
    ),
  correlationId: fc.uuid(),
});
const aggregate = fc
  .array(reading, { maxLength: 6 })
  .map((readings) => readings.map(aggregateOf).reduce(merged, EMPTY));

test('merging is associative and commutative, and nothing changes by what is empty', () => {
  fc.assert(
    fc.property(aggregate, aggregate, aggregate, (a, b, c) => {
      expect(merged(merged(a, b), c)).toEqual(merged(a, merged(b, c)));
      expect(merged(a, b)).toEqual(merged(b, a));
      expect(merged(a, EMPTY)).toEqual(a);
      expect(merged(EMPTY, a)).toEqual(a);
    }),
  );
});

/** Another way to the same figures: sorted, by fractions of BigInt. */
function naive(readings: readonly { modality: string; createdAt: string; correlationId: string }[]) {
  const exact = readings.flatMap(({ modality }) => {
    const { negative, integer, fraction } = decimalParts(modality) ?? { negative: false, integer: '', fraction: '' };
    const significant = fraction.replace(/0+$/, '');
    if (integer === '' || integer.length > 20 || significant.length > 18) return [];
    return [BigInt(`${negative ? '-' : ''}${integer}${significant.padEnd(18, '0')}`)];
  });
  const sorted = [...exact].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const inTime = [...readings].sort((a, b) => {
    const [x, y] = [a, b].map(({ createdAt }) => {
      const [seconds = '', part = ''] = createdAt.split('.');
      return BigInt(seconds + part.padEnd(9, '0'));
    });
    if (x !== y) return (x ?? 0n) < (y ?? 0n) ? -1 : 1;
    return a.correlationId < b.correlationId ? -1 : 1;
  });
  return {
    count: readings.length,
    inexact: readings.length - exact.length,
    sum: exact.reduce((sum, value) => sum + value, 0n),
    min: sorted[0],
    max: sorted.at(-1),
    first: inTime[0]?.modality,
    last: inTime.at(-1)?.modality,
  };
}

test('it equals a naive recomputation, whatever the order and the grouping', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(reading, { maxLength: 30, selector: ({ correlationId }) => correlationId }),
      fc.infiniteStream(fc.nat()),
      (readings, choices) => {
        const parts: Aggregate[] = readings.map(aggregateOf);
        for (const choice of choices) {
          if (parts.length < 2) break;
          const [part = EMPTY] = parts.splice(choice % parts.length, 1);
          const at = (choice * 7) % parts.length;
          parts[at] = merged(part, parts[at] ?? EMPTY);
        }
        const [whole = EMPTY] = parts;
        const { first, last, unsquared: _, sumOfSquares: __, ...rest } = whole;
        expect({ ...rest, first: first?.value, last: last?.value }).toEqual(naive(readings));
      },
    ),
  );
});

const of = (modality: string) => aggregateOf({ modality, createdAt: '1694902173.5', correlationId: 'a' });

test.each([
  ['1.5', '1.5', '2.25'],
  ['-0.1', '-0.1', '0.01'],
  ['1e-8', '0.00000001', '0.0000000000000001'],
  ['5e-9', '0.000000005', '0.0000000000000001'],
  ['-5e-9', '-0.000000005', '0.0000000000000001'],
  ['4.9e-9', '0.0000000049', '0'],
  ['9999999999.99999999', '9999999999.99999999', '99999999999999999800.0000000000000001'],
])('of %s the sum is %s and the sum of squares %s', (modality, sum, squares) => {
  const aggregate = of(modality);
  expect(decimalText(aggregate.sum, 18)).toBe(sum);
  expect(decimalText(aggregate.sumOfSquares, 16)).toBe(squares);
  expect(aggregate).toMatchObject({ unsquared: 0, inexact: 0 });
});

test('a value too large to be squared is counted, and added up all the same', () => {
  expect(of('-10000000000')).toMatchObject({ sum: -(10n ** 28n), unsquared: 1, inexact: 0, sumOfSquares: 0n });
});

test.each(['1e20', '100000000000000000000', '1e-19', '0.1234567890123456789', '1e400'])(
  '%s fits no DECIMAL(38,18): it is counted apart, and has its time',
  (modality) => {
    expect(of(modality)).toMatchObject({ count: 1, inexact: 1, sum: 0n, min: undefined, last: { value: modality } });
  },
);

test.each(['0.1234567890123456780', '99999999999999999999.999999999999999999', '-1.5E+1', '0.000e5'])(
  '%s fits, whatever way it is written',
  (modality) => {
    expect(of(modality).inexact).toBe(0);
  },
);

test('units are written and read as plain decimals', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (units) => {
      expect(unitsOf(decimalText(units, 18), 18)).toBe(units);
      const text = decimalText(units, 18);
      if (units < 10n ** 38n && units > -(10n ** 38n)) expect(exactUnits(text)).toBe(units);
    }),
  );
  expect(() => unitsOf('1e5', 18)).toThrow(RangeError);
  expect(() => unitsOf('0.0000000000000000001', 18)).toThrow(RangeError);
});
