import { expect, test } from 'vitest';
import { createSimulatorSource } from './simulator-source.ts';
import type { SimulationOptions } from './simulation.ts';

const START_MS = Date.UTC(2024, 2, 1);
const options = (changed: Partial<SimulationOptions> = {}) => ({
  topic: 'readings',
  sensors: 10,
  firstSensorId: 1,
  seed: 1,
  rateHz: 1,
  startMs: START_MS,
  predictionShare: 0.5,
  predictionHorizonSeconds: 900,
  duplicateShare: 0,
  outOfOrderShare: 0,
  lateShare: 0,
  malformedShare: 0.2,
  maxEnvelopeBytes: 65_536,
  ...changed,
});

test('nothing comes before it is due, and what was due is counted by kind and aspect', async () => {
  const source = createSimulatorSource(options());
  expect((await source.take(START_MS - 1, 100)).kind).toBe('not-yet');
  const taken = await source.take(START_MS + 10_000, 1_000);
  if (taken.kind !== 'batch') throw new Error(taken.kind);
  const { counts, sends } = taken.batch;
  expect(sends).toHaveLength(1);
  expect(sends[0]?.records).toHaveLength(counts.total);
  expect(counts.total).toBeGreaterThan(60);
  expect((counts['regular'] ?? 0) + (counts['malformed'] ?? 0)).toBe(counts.total);
  expect((counts['real_time'] ?? 0) + (counts['edge_prediction'] ?? 0)).toBe(counts.total);
  const next = await source.take(START_MS + 10_000, 1_000);
  expect(next.kind === 'not-yet' && next.dueMs > START_MS + 10_000).toBe(true);
});

test('a batch has at most the records asked for, and a finite run ends', async () => {
  const source = createSimulatorSource(options({ count: 25, duplicateShare: 0.5 }));
  const sizes: number[] = [];
  for (let taken = await source.take(Infinity, 10); taken.kind === 'batch'; taken = await source.take(Infinity, 10)) {
    sizes.push(taken.batch.counts.total);
  }
  expect(sizes).toEqual([10, 10, 5]);
  expect(await source.take(Infinity, 10)).toEqual({ kind: 'finished' });
});

test('more sensors than can be told apart are refused', () => {
  expect(() => createSimulatorSource(options({ sensors: 10, firstSensorId: (1 << 24) - 9 }))).toThrow(
    'SIMULATOR_SENSORS',
  );
});
