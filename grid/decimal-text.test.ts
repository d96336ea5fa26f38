import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDecimals, decimalParts, epochSecondsToMs, eventTimeOrderKey, isExactAsDouble } from './decimal-text.ts';

describe('epochSecondsToMs', () => {
  it.each<[string, number | undefined]>([
    ['1694902173.122458', 1_694_902_173_122],
    // 1694902173.122 * 1000 is 1694902173121.9998 as a double.
    ['1694902173.122', 1_694_902_173_122],
    ['1694902173', 1_694_902_173_000],
    ['1.694902173122458e9', 1_694_902_173_122],
    ['16949021731224.58e-4', 1_694_902_173_122],
    ['-0.0005', -1],
    ['-1.5', -1_500],
    ['0', 0],
    ['1e500', undefined],
    ['1.', undefined],
    ['01', undefined],
  ])('turns %s into %s', (text, ms) => {
    expect(epochSecondsToMs(text)).toBe(ms);
  });
});

describe('decimalParts', () => {
  it.each([
    ['0.05', '0', '05'],
    ['5e-2', '0', '05'],
    ['12.5e1', '125', ''],
    ['1200e-2', '12', '00'],
    ['0e5', '0', ''],
  ])('takes %s apart', (text, integer, fraction) => {
    expect(decimalParts(text)).toEqual({ negative: false, integer, fraction });
  });
});

describe('eventTimeOrderKey', () => {
  it('orders as the numbers do, to digits that no double holds', () => {
    const time = fc.tuple(fc.integer({ min: 0, max: 999_999_999_999 }), fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }));
    fc.assert(
      fc.property(time, time, ([secondsA, fractionA], [secondsB, fractionB]) => {
        const text = (seconds: number, fraction: bigint): string => `${seconds}.${String(fraction).padStart(18, '0')}`;
        const a = eventTimeOrderKey(text(secondsA, fractionA));
        const b = eventTimeOrderKey(text(secondsB, fractionB));
        const numerically =
          Math.sign(secondsA - secondsB) || Number(fractionA > fractionB) - Number(fractionA < fractionB);
        expect(a).toMatch(/^\d{30}$/);
        expect(Math.sign(Number(a > b) - Number(a < b))).toBe(numerically);
      }),
    );
  });

  it('refuses what is not a positive time', () => {
    expect(() => eventTimeOrderKey('-1')).toThrow(RangeError);
    expect(() => eventTimeOrderKey('1e15')).toThrow(RangeError);
  });
});

describe('isExactAsDouble', () => {
  it.each([
    ['1694902173.122458', true],
    ['1694902173.1224580', false],
    ['421', true],
    ['12345678901234567890', false],
  ])('%s: %s', (text, exact) => {
    expect(isExactAsDouble(text)).toBe(exact);
  });
});

describe('compareDecimals', () => {
  it('compares to the last digit, where doubles see no difference', () => {
    expect(compareDecimals('50.2', '50.20')).toBe(0);
    expect(compareDecimals('50.200000000000000001', '50.2')).toBe(1);
    expect(compareDecimals('-50.200000000000000001', '-50.2')).toBe(-1);
    expect(compareDecimals('9007199254740993', '9007199254740992')).toBe(1);
    expect(compareDecimals('-0', '0')).toBe(0);
    expect(compareDecimals('1.5e3', '1500')).toBe(0);
  });

  it('orders as whole numbers of the same unit do', () => {
    const scaled = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 25 }));
    const text = ([units, scale]: readonly [bigint, number]): string => `${units}e-${scale}`;
    fc.assert(
      fc.property(scaled, scaled, (one, other) => {
        const [a, b] = [one[0] * 10n ** BigInt(25 - one[1]), other[0] * 10n ** BigInt(25 - other[1])];
        expect(compareDecimals(text(one), text(other))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});
