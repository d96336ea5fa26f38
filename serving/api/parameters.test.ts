import { expect, test } from 'vitest';
import { isoIn, momentMs } from './parameters.ts';

const NOW = Date.UTC(2026, 2, 1, 12);
const iso = (text: string, zone = 'UTC') => new Date(momentMs(text, zone, 'from', NOW)).toISOString();

test('times are read by their own offset, else by the zone', () => {
  expect(iso('2026-03-01T13:00:00+01:00')).toBe('2026-03-01T12:00:00.000Z');
  expect(iso('2026-03-01T13:00:00.123456789Z', 'Asia/Tokyo')).toBe('2026-03-01T13:00:00.123Z');
  expect(iso('2026-03-01T13:00', 'Europe/Berlin')).toBe('2026-03-01T12:00:00.000Z');
  expect(iso('2026-07-01', 'Europe/Berlin')).toBe('2026-06-30T22:00:00.000Z');
  expect(iso('2026-03-01 13:00', '+05:30')).toBe('2026-03-01T07:30:00.000Z');
  expect(iso('now-90m')).toBe('2026-03-01T10:30:00.000Z');
  expect(iso('now')).toBe('2026-03-01T12:00:00.000Z');
});

test('of an hour that clocks show twice the first is meant, and one that they leave out is when they jump', () => {
  expect(iso('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
  expect(Date.parse(iso('2026-03-29T02:30', 'Europe/Berlin'))).toBeGreaterThanOrEqual(Date.UTC(2026, 2, 29, 0, 30));
});

test('what is no time is refused', () => {
  for (const text of [
    '2026-02-30',
    '2026-13-01',
    '2026-03-01T25:00',
    'yesterday',
    'now-1w',
    '1850-01-01',
    '9999-01-01',
    '2026-03-01T12:00+99:00',
  ])
    expect(() => iso(text), text).toThrow('is no time such as');
});

test('times are written with the offset that the zone has then', () => {
  expect(isoIn('UTC', NOW)).toBe('2026-03-01T12:00:00.000Z');
  expect(isoIn('Europe/Berlin', NOW)).toBe('2026-03-01T13:00:00.000+01:00');
  expect(isoIn('Europe/Berlin', Date.UTC(2026, 6, 1))).toBe('2026-07-01T02:00:00.000+02:00');
  expect(isoIn('America/New_York', NOW)).toBe('2026-03-01T07:00:00.000-05:00');
  expect(isoIn('-03:30', NOW)).toBe('2026-03-01T08:30:00.000-03:30');
});
