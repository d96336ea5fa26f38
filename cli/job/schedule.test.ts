import { expect, test } from 'vitest';
import { startOfDay } from './schedule.ts';

test.each([
  ['2026-03-01', 'UTC', '2026-03-01T00:00:00.000Z'],
  ['2026-03-01', 'Europe/Berlin', '2026-02-28T23:00:00.000Z'],
  ['2026-07-01', 'Europe/Berlin', '2026-06-30T22:00:00.000Z'],
  // The clocks of the Azores go forward at midnight.
  ['2026-03-29', 'Atlantic/Azores', '2026-03-29T01:00:00.000Z'],
  ['2026-03-01', 'Pacific/Kiritimati', '2026-02-28T10:00:00.000Z'],
  ['2026-03-01', 'America/New_York', '2026-03-01T05:00:00.000Z'],
])('%s begins in %s at %s', (day, zone, moment) => {
  expect(startOfDay(day, zone).toISOString()).toBe(moment);
});

test.each(['yesterday', '2026-13-01', '2026-3-1', ''])('%j is no day', (text) => {
  expect(() => startOfDay(text, 'UTC')).toThrow('is no day');
});
