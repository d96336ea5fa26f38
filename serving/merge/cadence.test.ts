import { expect, test } from 'vitest';
import { cadenceMs, staleness } from './cadence.ts';

const minutes = (...counts: number[]) => counts.map((count, at) => ({ startMs: at * 60_000, count }));

test('the cadence is the time of a window shared by its readings, whatever a gap or a burst says', () => {
  expect(cadenceMs(minutes(60, 60, 59, 6_000, 60, 60))).toBe(1_000);
  expect(cadenceMs([0, 15, 30, 90, 105].map((minute) => ({ startMs: minute * 60_000, count: 1 })))).toBe(900_000);
  expect(cadenceMs(minutes(60, 60))).toBeUndefined();
  expect(cadenceMs([])).toBeUndefined();
});

test('age counts by cadence, with some grace for fast sensors', () => {
  expect(staleness(4_000, 100)).toEqual({ cadenceMs: 100, state: 'fresh' });
  expect(staleness(9_000, 100).state).toBe('late');
  expect(staleness(10_001, 100).state).toBe('stale');
  expect(staleness(2_700_000, 900_000).state).toBe('fresh');
  expect(staleness(9_000_001, 900_000).state).toBe('stale');
  expect(staleness(0, undefined).state).toBe('unknown');
});
