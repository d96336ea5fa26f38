import fc from 'fast-check';
import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { CorrelationIds, MOST_SENSORS } from './correlation-id.ts';

test('every sensor, number and aspect has an id of its own, a UUID of version 8', () => {
  const ids = new CorrelationIds({ seed: 1 });
  const reading = fc.tuple(
    fc.integer({ min: 0, max: MOST_SENSORS - 1 }),
    fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fc.constantFrom('real_time' as const, 'edge_prediction' as const),
  );
  fc.assert(
    fc.property(reading, reading, (one, other) => {
      const id = ids.id(...one);
      expect(validate(id)).toBe(true);
      expect(version(id)).toBe(8);
      expect(id === ids.id(...other)).toBe(one.join() === other.join());
    }),
  );
});

test('runs that differ in anything have no id in common', () => {
  const run = (startMs: number) => new CorrelationIds({ seed: 1, startMs }).id(6, 0, 'real_time');
  expect(run(1)).not.toBe(run(2));
  expect(run(1)).toBe(run(1));
});
