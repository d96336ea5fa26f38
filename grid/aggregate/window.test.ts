import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RESOLUTIONS, windowLengthMs, windowStartMs } from './window.ts';

test.each([
  ['2024-02-29T23:59:59.999Z', 'minute', '2024-02-29T23:59:00.000Z'],
  ['2024-02-29T23:59:59.999Z', 'hour', '2024-02-29T23:00:00.000Z'],
  ['2024-02-29T23:59:59.999Z', 'day', '2024-02-29T00:00:00.000Z'],
  ['2024-03-01T00:00:00.000Z', 'day', '2024-03-01T00:00:00.000Z'],
  ['1969-12-31T23:59:59.999Z', 'hour', '1969-12-31T23:00:00.000Z'],
] as const)('%s is in the %s from %s', (moment, resolution, start) => {
  expect(new Date(windowStartMs(Date.parse(moment), resolution)).toISOString()).toBe(start);
});

test('a moment is in its window, and windows begin where the one before ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e13, max: 1e13 }), fc.constantFrom(...RESOLUTIONS), (ms, resolution) => {
      const start = windowStartMs(ms, resolution);
      expect(start).toBeLessThanOrEqual(ms);
      expect(start + windowLengthMs(resolution)).toBeGreaterThan(ms);
      expect(windowStartMs(start + windowLengthMs(resolution), resolution)).toBe(start + windowLengthMs(resolution));
    }),
  );
});
