import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EPOCH_UNIT_DIGITS, epochSecondsText, type EpochUnit } from './epoch-text.ts';

it.each<[string, EpochUnit, string]>([
  ['1694902173122458000', 'ns', '1694902173.122458'],
  ['1694902173122458001', 'ns', '1694902173.122458001'],
  ['1694902173122458', 'us', '1694902173.122458'],
  ['1694902173122', 'ms', '1694902173.122'],
  ['1694902173000', 'ms', '1694902173'],
  ['1694902173', 's', '1694902173'],
  ['5', 'ns', '0.000000005'],
  ['0', 'ns', '0'],
  ['-1500', 'ms', '-1.5'],
  ['0001694902173', 's', '1694902173'],
])('writes %s %s as %s seconds', (integer, unit, text) => {
  expect(epochSecondsText(integer, unit)).toBe(text);
});

it('loses no digit, whatever the unit', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 20n }),
      fc.constantFrom(...(Object.keys(EPOCH_UNIT_DIGITS) as EpochUnit[])),
      (count, unit) => {
        const [seconds = '', fraction = ''] = epochSecondsText(String(count), unit).split('.');
        expect(BigInt(seconds + fraction.padEnd(EPOCH_UNIT_DIGITS[unit], '0'))).toBe(count);
      },
    ),
  );
});
