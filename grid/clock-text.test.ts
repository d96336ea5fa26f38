import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockTime, dayMs, HOUR_PATTERN } from './clock-text.ts';

describe('a time of day', () => {
  it.each<[string, number, number, string, number, 'A' | 'B' | undefined]>([
    ['00', 0, 0, '', 0, undefined],
    ['0', 0, 0, '', 0, undefined],
    ['23', 59, 59, '999', 86_399, undefined],
    ['24', 0, 0, '', 86_400, undefined],
    ['24', 0, 0, '000', 86_400, undefined],
    ['2A', 0, 0, '', 7_200, 'A'],
    ['02b', 45, 0, '', 9_900, 'B'],
  ])('%s:%d:%d.%s is %d s after midnight, half %s', (hour, minute, second, fraction, secondsOfDay, half) => {
    expect(clockTime(hour, minute, second, fraction)).toEqual({ ok: true, secondsOfDay, half });
  });

  it.each<[string, number, number, string]>([
    ['25', 10, 0, ''],
    ['10', 61, 0, ''],
    ['10', 60, 0, ''],
    ['10', 0, 60, ''],
    ['24', 0, 1, ''],
    ['24', 1, 0, ''],
    ['24', 0, 0, '001'],
    ['24A', 0, 0, ''],
    ['2C', 0, 0, ''],
    ['', 0, 0, ''],
    ['123', 0, 0, ''],
  ])('%s:%d:%d.%s does not exist', (hour, minute, second, fraction) => {
    expect(clockTime(hour, minute, second, fraction)).toEqual({ ok: false, fault: 'no-such-time' });
  });

  it('of a leap second has no epoch time', () => {
    expect(clockTime('23', 59, 60, '')).toEqual({ ok: false, fault: 'leap-second' });
  });

  it('of a clock is itself, whatever it is', () => {
    fc.assert(
      fc.property(fc.nat(86_399), fc.constantFrom('', 'A', 'B'), (seconds, letter) => {
        const hour = `${Math.floor(seconds / 3_600)}${letter}`;
        expect(new RegExp(`^${HOUR_PATTERN}$`).test(hour)).toBe(true);
        const read = clockTime(hour, Math.floor(seconds / 60) % 60, seconds % 60, '5');
        expect(read).toEqual({ ok: true, secondsOfDay: seconds, half: letter === '' ? undefined : letter });
      }),
    );
  });
});

describe('a day', () => {
  it.each([
    [2024, 2, 29, Date.UTC(2024, 1, 29)],
    [2023, 2, 29, undefined],
    [2024, 13, 1, undefined],
    [2024, 0, 1, undefined],
    [2024, 1, 0, undefined],
    [99, 1, 1, undefined],
  ])('%d-%d-%d', (year, month, day, ms) => {
    expect(dayMs(year, month, day)).toBe(ms);
  });
});
