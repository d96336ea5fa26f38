import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregateOf, EMPTY, merged, type Aggregate } from '../../../grid/aggregate/aggregate.ts';
import { RESOLUTIONS, windowLengthMs, windowStartMs } from '../../../grid/aggregate/window.ts';
import type { Reading } from '../../../grid/reading.ts';
import { WindowFold } from './window-fold.ts';

const START = Date.parse('2024-02-29T22:58:30Z');
const reading = fc
  .record({
    sensorId: fc.constantFrom('6', '60'),
    aspect: fc.constantFrom('real_time' as const, 'edge_prediction' as const),
    unit: fc.constantFrom('MW', 'M\0W', 'M\\u0000W', 'x'.repeat(200)),
    modality: fc.constantFrom('1', '2.5', '-3', '1e-19', '421.123456789'),
    seconds: fc.constantFrom(0, 1, 29, 30, 90, 3_600, 90_000),
    correlationId: fc.uuid(),
  })
  .map(({ seconds, ...fields }): Reading => {
    const eventTimeMs = START + seconds * 1_000;
    return { ...fields, createdAt: String(eventTimeMs / 1_000), eventTimeMs, schemaVersion: 1 };
  });

test.each([
  { resolutions: RESOLUTIONS },
  { resolutions: ['day', 'hour'] as const },
  { resolutions: ['hour'] as const },
])('each window of $resolutions gets what its readings come to, and is told once', ({ resolutions }) => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 60 }), fc.integer({ min: -1, max: 100_000 }), (readings, passed) => {
      const watermarkMs = START + passed * 1_000;
      const fold = new WindowFold(resolutions);
      const expected = new Map<string, Aggregate>();
      for (const each of readings) {
        fold.add(each, 200);
        for (const resolution of resolutions) {
          const unit = each.unit.startsWith('M') ? (each.unit === 'MW' ? 'MW' : 'M\\u0000W') : 'x';
          const startMs = windowStartMs(each.eventTimeMs, resolution);
          const isLate = startMs + windowLengthMs(resolution) <= watermarkMs;
          const key = [each.sensorId, each.aspect, unit, resolution, startMs, isLate].join();
          expected.set(key, merged(expected.get(key) ?? EMPTY, aggregateOf(each)));
        }
      }
      const deltas = fold.deltas(watermarkMs).map(({ aggregate, ...delta }) => {
        const unit = delta.unit.length > 100 ? 'x' : delta.unit;
        const key = [delta.sensorId, delta.aspect, unit, delta.resolution, delta.startMs, delta.isLate].join();
        return [key, aggregate] as const;
      });
      expect(new Map(deltas)).toEqual(expected);
      expect(deltas).toHaveLength(expected.size);
    }),
  );
});

test('it is full by its windows, and by long envelopes, not by many readings', () => {
  const at = (index: number, eventTimeMs: number): Reading => ({
    ...{ sensorId: '6', aspect: 'real_time', unit: 'MW', modality: '1', schemaVersion: 1 },
    ...{ correlationId: String(index), eventTimeMs, createdAt: String(eventTimeMs / 1_000) },
  });
  const many = new WindowFold(['minute']);
  for (let index = 0; index < 20_000; index++) many.add(at(index, START + index), 1_000);
  expect(many.isFull).toBe(false);
  const wide = new WindowFold(['minute']);
  for (let index = 0; index < 2_000; index++) wide.add(at(index, START + index * 60_000), 200);
  expect(wide.isFull).toBe(true);
  const long = new WindowFold(['day']);
  for (let index = 0; index < 70; index++) long.add(at(index, START + index), 65_000);
  expect(long.isFull).toBe(true);
});
