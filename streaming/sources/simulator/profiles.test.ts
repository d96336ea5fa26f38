import { expect, test } from 'vitest';
import { demand, profileIndex, PROFILES, sunElevation, turbineShare } from './profiles.ts';

const at = (text: string) => Date.parse(text) / 1_000;

test('the shares of the kinds add up to a whole fleet', () => {
  expect(PROFILES.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  expect(profileIndex(0)).toBe(0);
  expect(profileIndex(0.999_999)).toBe(PROFILES.length - 1);
});

test('demand is lower at night than in the evening, and on a Sunday than on a Wednesday', () => {
  expect(demand(at('2023-09-13T03:00:00Z'))).toBeLessThan(0.7 * demand(at('2023-09-13T19:00:00Z')));
  expect(demand(at('2023-09-17T12:00:00Z'))).toBeLessThan(demand(at('2023-09-13T12:00:00Z')));
  for (let hour = 0; hour < 24 * 366; hour += 7) {
    const value = demand(at('2024-01-01T00:00:00Z') + hour * 3_600);
    expect(value).toBeGreaterThan(0.2);
    expect(value).toBeLessThan(1.3);
  }
});

test('the sun stands highest at noon, higher in June than in December, and is down at midnight', () => {
  expect(sunElevation(at('2023-06-21T12:00:00Z'))).toBeCloseTo(Math.sin(((90 - 51 + 23.45) / 180) * Math.PI), 2);
  expect(sunElevation(at('2023-12-21T12:00:00Z'))).toBeCloseTo(Math.sin(((90 - 51 - 23.45) / 180) * Math.PI), 2);
  expect(sunElevation(at('2023-06-21T00:00:00Z'))).toBeLessThan(0);
});

test('a turbine gives nothing in a calm or a storm and its rating between', () => {
  expect([2, 12, 18, 26].map(turbineShare)).toEqual([0, 1, 1, 0]);
  expect(turbineShare(8)).toBeGreaterThan(turbineShare(6));
});

test('every kind stays within what its unit allows, at any time and with any noise', () => {
  const limits: Record<string, [number, number]> = {
    load: [0, 600],
    solar: [0, 5_500],
    wind: [0, 12],
    voltage: [200, 125_000],
    frequency: [49.9, 50.1],
    current: [0, 2_000],
  };
  for (const { kind, scale, value } of PROFILES) {
    const [min, max] = limits[kind] ?? [0, 0];
    for (let hour = 0; hour < 366 * 24; hour += 17) {
      const values = [-3, 0, 3].map((noise) =>
        value(at('2024-01-01T00:00:00Z') + hour * 3_600, scale(hour / (366 * 24)), noise),
      );
      expect(Math.min(...values), kind).toBeGreaterThanOrEqual(min);
      expect(Math.max(...values), kind).toBeLessThanOrEqual(max);
    }
  }
});
