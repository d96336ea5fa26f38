import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from '../../../grid/envelope.ts';
import { TEMPORAL_ASPECTS, type Reading, type TemporalAspect } from '../../../grid/reading.ts';
import { NewestFold, readingVersion } from './newest-fold.ts';

const LIMITS = { maxBytes: 65_536, maxAheadMs: 3_600_000 };

function read(
  sensorId: string,
  createdAt: string,
  aspect: TemporalAspect = 'real_time',
): { reading: Reading; value: Buffer } {
  const value = Buffer.from(
    encodeEnvelope({ sensorId, modality: '1', unit: 'MW', aspect, correlationId: 'c', createdAt }),
  );
  const decoded = decodeEnvelope(value, 2_000_000_000_000, LIMITS);
  if (!decoded.ok) throw new Error(decoded.rejection.message);
  return { reading: decoded.reading, value };
}

const createdAt = fc
  .tuple(
    fc.constantFrom('1694902173', '1694902174', '999999999'),
    fc.constantFrom('', '.1', '.10', '.122458', '.1224580001', '.122458000000000001', '.122458000000000002'),
  )
  .map(([seconds, fraction]) => seconds + fraction);

describe('the newest of a batch', () => {
  test('is the one with the highest version, in whatever order readings come', () => {
    const readings = fc.array(
      fc.record({
        sensorId: fc.constantFrom('6', 'A-1'),
        createdAt,
        offset: fc.nat(40),
        aspect: fc.constantFrom(...TEMPORAL_ASPECTS),
      }),
      {
        minLength: 1,
      },
    );
    fc.assert(
      fc.property(readings, (all) => {
        const fold = new NewestFold(3);
        for (const { sensorId, createdAt: at, offset, aspect } of all) {
          const { reading, value } = read(sensorId, at, aspect);
          fold.add(reading, offset, value);
        }
        const candidates = fold.drain();
        const sensors = new Set(all.map((reading) => reading.sensorId));
        expect(new Set(candidates.map(({ sensorId }) => sensorId))).toEqual(sensors);
        for (const { sensorId, newest } of candidates) {
          for (const aspect of TEMPORAL_ASPECTS) {
            const expected = all
              .filter((reading) => reading.sensorId === sensorId && reading.aspect === aspect)
              .map((reading) => readingVersion(reading.createdAt, reading.offset, 3))
              .reduce((a, b) => (a > b ? a : b), '');
            const found = newest.get(aspect);
            expect(found?.version ?? '').toBe(expected);
            if (found === undefined) continue;
            const { reading } = read(sensorId, createdAtOf(found.value));
            expect(expected.startsWith(readingVersion(reading.createdAt, 0, 0).slice(0, 30))).toBe(true);
            expect(found.value.toString()).toContain(aspect);
          }
        }
        expect(fold.size).toBe(0);
      }),
    );
  });

  test('tells readings apart that a double could not', () => {
    const fold = new NewestFold(0);
    const older = '1694902173.122458000000000001';
    const newer = '1694902173.122458000000000002';
    expect(Number(older)).toBe(Number(newer));
    for (const [offset, at] of [newer, older].entries()) {
      const { reading, value } = read('6', at);
      fold.add(reading, offset, value);
    }
    expect(createdAtOf(fold.drain()[0]?.newest.get('real_time')?.value)).toBe(newer);
  });
});

describe('a version', () => {
  test('has digits only and always the same length, so that every locale compares it alike', () => {
    fc.assert(
      fc.property(createdAt, fc.nat(), fc.nat(10_000), (at, offset, partition) => {
        expect(readingVersion(at, offset, partition)).toMatch(/^\d{60}$/);
      }),
    );
  });

  test('rises with event time, then with the offset, then with the partition', () => {
    const rising = [
      readingVersion('999999999.999', 9_007_199_254_740_991, 9),
      readingVersion('1694902173', 10, 0),
      readingVersion('1694902173.0', 11, 0),
      readingVersion('1694902173', 11, 1),
      readingVersion('1694902173.000000000000000001', 0, 0),
      readingVersion('1694902173.1', 0, 0),
      readingVersion('10000000000', 0, 0),
    ];
    expect([...rising].sort()).toEqual(rising);
  });
});

function createdAtOf(value: Buffer | undefined): string {
  return /"created_at":([\d.]+)/.exec(value?.toString() ?? '')?.[1] ?? '';
}
