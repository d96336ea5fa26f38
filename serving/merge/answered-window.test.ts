import { expect, test } from 'vitest';
import type { MergedWindow, Provenance } from '../../connectors/postgres/serving/merged-view.ts';
import { answeredWindow, passedEventTimeMs } from './answered-window.ts';

const window: MergedWindow = {
  unit: 'MW',
  startMs: 0,
  count: 3,
  inexact: 0,
  unsquared: 0,
  sum: '-2',
  sumOfSquares: '4',
  min: '-3',
  max: '1',
  firstOrder: '0 a',
  firstValue: '1.0',
  lastOrder: '1 b',
  lastValue: '-3',
  weightedSum: '5400000.00000001',
  weightedMs: '3600000',
  batchCount: 2,
  isCorrected: false,
};
const provenance: Provenance = { build: undefined, boundary: [], speed: [] };
const position = { topic: 'T', partition: 0, nextOffset: '1', watermarkMs: 90_000, updatedMs: 0 };

test('means are rounded half away from zero, and energy is in hours', () => {
  expect(answeredWindow(window, 'hour', undefined)).toMatchObject({
    mean: '-0.666666666666666667',
    weightedMean: '1.500000000000002778',
    energy: '1.500000000000002778',
    isWeightingProvisional: true,
    part: 'both',
    speedCount: 1,
  });
  expect(answeredWindow({ ...window, count: 2, inexact: 2 }, 'hour', undefined).mean).toBeUndefined();
  expect(answeredWindow({ ...window, weightedMs: '0' }, 'hour', undefined).weightedMean).toBeUndefined();
});

test('a window is provisional until every partition has passed its end, and then final or corrected', () => {
  expect(answeredWindow(window, 'minute', undefined).state).toBe('provisional');
  expect(answeredWindow(window, 'minute', 59_999).state).toBe('provisional');
  expect(answeredWindow(window, 'minute', 60_000).state).toBe('final');
  expect(answeredWindow({ ...window, isCorrected: true }, 'minute', 60_000).state).toBe('corrected');
});

test('what has been passed is what the slowest partition has, but for those without a reading', () => {
  expect(passedEventTimeMs(provenance)).toBeUndefined();
  expect(passedEventTimeMs({ ...provenance, build: { id: '1', publishedMs: 5 } })).toBe(5);
  const speed = [
    position,
    { ...position, partition: 1, watermarkMs: 7 },
    { ...position, partition: 2, watermarkMs: undefined },
  ];
  expect(passedEventTimeMs({ ...provenance, speed })).toBe(7);
});
