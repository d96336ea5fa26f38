import { validate, version } from 'uuid';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../../grid/envelope.ts';
import type { Reading } from '../../../grid/reading.ts';
import { Simulation, type SimulatedRecord, type SimulationOptions } from './simulation.ts';

const START_MS = Date.UTC(2024, 2, 1);
const LIMITS = { maxBytes: 65_536, maxAheadMs: 3_600_000 };

const options = (changed: Partial<SimulationOptions> = {}): SimulationOptions => ({
  sensors: 50,
  firstSensorId: 1,
  seed: 1,
  rateHz: 1,
  startMs: START_MS,
  predictionShare: 0.1,
  predictionHorizonSeconds: 900,
  count: 5_000,
  duplicateShare: 0,
  outOfOrderShare: 0,
  lateShare: 0,
  malformedShare: 0,
  maxEnvelopeBytes: LIMITS.maxBytes,
  ...changed,
});

const run = (changed: Partial<SimulationOptions> = {}): SimulatedRecord[] => [...new Simulation(options(changed))];
const texts = (records: readonly SimulatedRecord[]) => records.map(({ value }) => value.toString());

function decode({ value }: SimulatedRecord): Reading {
  const decoded = decodeEnvelope(Buffer.from(value), START_MS + 10 * 86_400_000, LIMITS);
  if (!decoded.ok) throw new Error(decoded.rejection.message);
  return decoded.reading;
}

function count(records: readonly SimulatedRecord[], kind: string): number {
  return records.filter((record) => record.kind === kind).length;
}

const faulty = { duplicateShare: 0.05, outOfOrderShare: 0.05, lateShare: 0.05, malformedShare: 0.05 };

describe('a simulated fleet', () => {
  test('gives the very same records for the same options', () => {
    expect(texts(run(faulty))).toEqual(texts(run(faulty)));
  });

  test('gives other values and other correlation ids for another seed or start', () => {
    const ids = (changed: Partial<SimulationOptions>) =>
      new Set(run(changed).map((record) => decode(record).correlationId));
    const first = ids({});
    for (const changed of [{ seed: 2 }, { startMs: START_MS + 1 }, { rateHz: 2 }]) {
      expect([...ids(changed)].filter((id) => first.has(id))).toEqual([]);
    }
    expect(texts(run({ seed: 2 }))).not.toEqual(texts(run()));
  });

  test('can be shared among processes: each sensor gives the same readings in any of them', () => {
    const whole = run({ sensors: 20, count: 2_000 }).map(decode);
    const half = run({ sensors: 10, firstSensorId: 11, count: 500 }).map(decode);
    const lastMs = Math.max(...half.map(({ eventTimeMs }) => eventTimeMs));
    const ofHalf = whole.filter(({ sensorId, eventTimeMs }) => Number(sensorId) > 10 && eventTimeMs <= lastMs);
    expect(half).toEqual(ofHalf.slice(0, half.length));
  });

  test('identifies every reading by a UUID of its own', () => {
    const ids = run().map((record) => decode(record).correlationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids.slice(0, 100)) {
      expect(validate(id)).toBe(true);
      expect(version(id)).toBe(8);
    }
  });

  test('gives readings in the order of their event times, each sensor at its own steady rate', () => {
    const readings = run({ count: 10_000 }).map(decode);
    for (const [index, reading] of readings.entries()) {
      expect(reading.eventTimeMs).toBeGreaterThanOrEqual(readings[index - 1]?.eventTimeMs ?? 0);
    }
    const times = new Map<string, Reading[]>();
    for (const reading of readings) times.set(reading.sensorId, [...(times.get(reading.sensorId) ?? []), reading]);
    const rates = [...times.values()].map((own) => {
      const last = own.at(-1)?.eventTimeMs ?? 0;
      return (own.length - 1) / ((last - (own[0]?.eventTimeMs ?? 0)) / 1_000);
    });
    expect(Math.min(...rates)).toBeGreaterThan(0.4);
    expect(Math.max(...rates)).toBeLessThan(1.95);
    expect(new Set(rates.map((rate) => rate.toFixed(2))).size).toBeGreaterThan(20);
  });

  test('has the mean rate that was asked for', () => {
    const simulation = new Simulation(options({ sensors: 2_000, rateHz: 0.5, count: 40_000 }));
    for (let i = 1; i < 40_000; i += 1) simulation.next();
    const seconds = (simulation.nextDueMs - START_MS) / 1_000;
    expect(40_000 / seconds / 2_000).toBeCloseTo(0.5, 1);
  });

  test('has its rate from the start on', () => {
    const simulation = new Simulation(options({ sensors: 10_000, rateHz: 0.1, count: 10_000 }));
    let inFirstSecond = 0;
    for (; simulation.nextDueMs < START_MS + 1_000; inFirstSecond += 1) simulation.next();
    // 1,000 with a standard deviation of about 32.
    expect(Math.abs(inFirstSecond - 1_000)).toBeLessThan(160);
  });

  test('gives predictions at the share asked for, with the time at which they were made', () => {
    const readings = run({ predictionShare: 0.3, count: 10_000 }).map(decode);
    const predictions = readings.filter(({ aspect }) => aspect === 'edge_prediction');
    expect(predictions.length / readings.length).toBeCloseTo(0.3, 1);
    expect(run({ predictionShare: 0 }).every(({ aspect }) => aspect === 'real_time')).toBe(true);
  });

  test('writes numbers without exponents and with no more digits than a meter shows', () => {
    for (const { modality } of run({ sensors: 500, count: 8_000 }).map(decode)) {
      expect(modality).toMatch(/^(?:0|-?[1-9]\d*|-?\d+\.\d{1,4})$/);
    }
  });
});

describe('the faults of a simulation', () => {
  test('come at the shares asked for and leave the number of records as asked', () => {
    const records = run({ ...faulty, count: 30_000 });
    expect(records).toHaveLength(30_000);
    for (const kind of ['duplicate', 'out-of-order', 'late', 'malformed']) {
      expect(count(records, kind) / 30_000, kind).toBeGreaterThan(0.04);
      expect(count(records, kind) / 30_000, kind).toBeLessThan(0.06);
    }
  });

  test('do not change the readings they are mixed into', () => {
    const clean = new Set(texts(run({ count: 5_000 })));
    const mixed = run({ duplicateShare: 0.1, outOfOrderShare: 0.1, count: 5_000 });
    expect(texts(mixed).every((text) => clean.has(text))).toBe(true);
  });

  test('a duplicate has the bytes of a record that went before', () => {
    const seen = new Set<string>();
    let duplicates = 0;
    for (const { kind, value } of run({ duplicateShare: 0.1 })) {
      const text = value.toString();
      expect(seen.has(text)).toBe(kind === 'duplicate');
      seen.add(text);
      if (kind === 'duplicate') duplicates += 1;
    }
    expect(duplicates).toBeGreaterThan(300);
  });

  test('exactly the records counted as out of order are older than one of their sensor that went before', () => {
    const newest = new Map<string, number>();
    let outOfOrder = 0;
    for (const record of run({ outOfOrderShare: 0.1 })) {
      const { sensorId, createdAt } = decode(record);
      const overtaken = Number(createdAt) < (newest.get(sensorId) ?? 0);
      expect(overtaken).toBe(record.kind === 'out-of-order');
      newest.set(sensorId, Math.max(Number(createdAt), newest.get(sensorId) ?? 0));
      if (overtaken) outOfOrder += 1;
    }
    expect(outOfOrder).toBeGreaterThan(300);
  });

  test('late records are hours to days older than those around them', () => {
    let nowMs = START_MS;
    const ages: number[] = [];
    for (const record of run({ lateShare: 0.2 })) {
      const { eventTimeMs } = decode(record);
      if (record.kind === 'late') ages.push(nowMs - eventTimeMs);
      else nowMs = eventTimeMs;
    }
    expect(ages.length).toBeGreaterThan(800);
    expect(Math.min(...ages)).toBeGreaterThan(3_590_000);
    expect(Math.max(...ages)).toBeLessThan(7.1 * 86_400_000);
    expect(Math.max(...ages)).toBeGreaterThan(5 * 86_400_000);
  });

  test('each malformed record is rejected with the code it is counted under, and every code occurs', () => {
    const records = run({ malformedShare: 1, count: 3_000 });
    const codes = new Set<string>();
    for (const { value, code } of records) {
      const decoded = decodeEnvelope(Buffer.from(value), START_MS + 10 * 86_400_000, LIMITS);
      expect(decoded.ok ? 'accepted' : decoded.rejection.code, value.toString().slice(0, 300)).toBe(code);
      codes.add(code ?? '');
    }
    expect([...codes].sort()).toEqual([
      'empty-record',
      'event-time-too-far-ahead',
      'event-time-too-old',
      'invalid-encoding',
      'invalid-sensor-id',
      'malformed-json',
      'malformed-payload',
      'missing-field',
      'not-a-number',
      'not-an-envelope',
      'oversized-record',
      'unknown-aspect',
      'unknown-schema-version',
      'wrong-type',
    ]);
  });

  test('hold back a bounded number of records, also where all are to be duplicated', () => {
    const records = run({ sensors: 30_000, duplicateShare: 1, count: 60_000 });
    expect(records).toHaveLength(60_000);
    expect(count(records, 'duplicate')).toBe(30_000);
  });
});
