import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SpeedView, type SpeedPosition, type WindowDelta } from '../../connectors/postgres/serving/speed-view.ts';
import type { SpeedRow } from '../../connectors/postgres/serving/speed-statements.ts';
import { aggregateOf, EMPTY, merged, type Aggregate } from '../../grid/aggregate/aggregate.ts';
import { decimalText } from '../../grid/aggregate/exact-decimal.ts';
import { WindowsBed } from './windows-bed.ts';

const bed = new WindowsBed('test_speed_view');
const view = new SpeedView(bed.database);
const START = Date.parse('2026-01-01T00:00:00Z');
const HOUR_MS = 3_600_000;

beforeAll(() => bed.makeSchema());
afterAll(() => bed.close());

const delta = (fields: Partial<WindowDelta> = {}): WindowDelta => ({
  sensorId: '6',
  aspect: 'real_time',
  unit: 'MW',
  resolution: 'hour',
  startMs: START,
  aggregate: aggregateOf({ modality: '1.5', createdAt: '1767225600', correlationId: 'a' }),
  isLate: false,
  ...fields,
});
let topics = 0;
const newPartition = () => ({ topic: `SPEED_VIEW_${++topics}`, partition: 0 });
const moved = (position: SpeedPosition, fields: Partial<SpeedPosition> = {}): SpeedPosition => ({
  ...position,
  nextOffset: position.nextOffset + 10,
  ...fields,
});

const reading = fc.record({
  modality: fc.oneof(
    fc.constantFrom(
      '0',
      '-0',
      '1e20',
      '1e-19',
      '99999999999999999999.999999999999999999',
      '-99999999999999999999',
      '2.50',
    ),
    fc.constantFrom('9999999999.99999999', '-10000000000', '0.000000005', '-0.000000005', '0.000000000000000001'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  ),
  // Often the same moment, so that ids decide, by their bytes.
  createdAt: fc.constantFrom('1767225600', '1767225600.000000000000000001', '1767225601', '1767225600.5'),
  correlationId: fc.constantFrom('a', 'b', 'B', 'ä', '\uffff', '\u{10000}', '\0', '\ud800', '"', '\\', '{', 'NULL', ''),
});
const aggregate = fc
  .array(reading, { minLength: 1, maxLength: 5 })
  .map((readings) => readings.map(aggregateOf).reduce(merged, EMPTY));

function figuresOf(aggregate: Aggregate) {
  const exact = (units: bigint | undefined): string | null => (units === undefined ? null : decimalText(units, 18));
  return {
    reading_count: aggregate.count,
    inexact_count: aggregate.inexact,
    unsquared_count: aggregate.unsquared,
    value_sum: exact(aggregate.sum),
    value_sum_of_squares: decimalText(aggregate.sumOfSquares, 16),
    value_min: exact(aggregate.min),
    value_max: exact(aggregate.max),
    first_order: aggregate.first?.order,
    first_value: aggregate.first?.value,
    last_order: aggregate.last?.order,
    last_value: aggregate.last?.value,
  };
}

const byWindow = (rows: readonly SpeedRow[]): SpeedRow[] => [...rows].sort((a, b) => a.start_ms - b.start_ms);

describe('the speed view', () => {
  it('merges windows just as the domain does, digit for digit and byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(aggregate, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 20 }),
        async (windows) => {
          const partition = newPartition();
          let position = await view.open(partition);
          let rows: readonly SpeedRow[];
          const latest = new Map<number, SpeedRow>();
          for (let round = 0; round < 3; round++) {
            const deltas = windows.flatMap((parts, index) => {
              const part = parts[round];
              return part === undefined ? [] : [delta({ startMs: START + index * HOUR_MS, aggregate: part })];
            });
            ({ position, rows } = await view.fold(partition, position, moved(position), () => deltas, false));
            expect(rows).toHaveLength(deltas.length);
            for (const row of rows) latest.set(row.start_ms, row);
          }
          windows.forEach((parts, index) => {
            const row = latest.get(START + index * HOUR_MS);
            expect(row).toMatchObject(figuresOf(parts.reduce(merged, EMPTY)));
            expect(row?.revision).toBe(parts.length);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('changes nothing for who has another idea of the position', async () => {
    const partition = newPartition();
    const first = await view.open(partition);
    const { position } = await view.fold(partition, first, moved(first), () => [delta()], false);
    const zombie = view.fold(partition, first, moved(first), () => [delta()], false);
    await expect(zombie).rejects.toMatchObject({ code: 'fenced' });
    await expect(view.finalize(partition, { ...first, watermarkMs: START }, 10)).rejects.toMatchObject({
      code: 'fenced',
    });
    const { rows } = await view.fold(partition, position, moved(position), () => [delta()], false);
    expect(rows).toMatchObject([{ reading_count: 2, revision: 2 }]);
    expect(await view.open(partition)).toEqual(moved(position, { nextOffset: 20, changeNumber: 2 }));
  });

  it('begins behind what the batch view covers, and tells who was before it', async () => {
    const partition = newPartition();
    const before = await view.open(partition);
    const [build] = await bed.database.query<{ id: string }>(
      `INSERT INTO ${bed.schema}.batch_build (run_id, boundary, is_rebuild, reading_count, changed_windows)
       VALUES ('a', '{}', false, 0, 0) RETURNING id`,
    );
    await bed.database.query(`INSERT INTO ${bed.schema}.batch_boundary VALUES ($1, 0, 99, $2)`, [
      partition.topic,
      build?.id,
    ]);
    expect(await view.open(partition)).toMatchObject({ nextOffset: 100, segmentFirstOffset: 100 });
    await expect(view.fold(partition, before, moved(before), () => [], false)).rejects.toMatchObject({
      code: 'fenced',
    });
    expect(await view.open(partition)).toMatchObject({ nextOffset: 100, segmentFirstOffset: 100 });
  });

  it('makes windows final once their end is passed, in steps, and tells of late changes', async () => {
    const partition = newPartition();
    const first = await view.open(partition);
    const hours = Array.from({ length: 7 }, (_, index) => delta({ startMs: START + index * HOUR_MS }));
    const watermarkMs = START + 5 * HOUR_MS + 1;
    let { position } = await view.fold(partition, first, moved(first, { watermarkMs }), () => hours, false);
    const finals: SpeedRow[] = [];
    for (;;) {
      const change = await view.finalize(partition, position, 2);
      position = change.position;
      finals.push(...change.rows);
      if (position.finalizedUntilMs === watermarkMs) break;
      expect(change.rows).toHaveLength(2);
    }
    expect(byWindow(finals).map((row) => [(row.start_ms - START) / HOUR_MS, row.is_final, row.revision])).toEqual(
      [0, 1, 2, 3, 4].map((hour) => [hour, true, 2]),
    );
    const late = [delta({ isLate: true }), delta({ startMs: START + 6 * HOUR_MS })];
    const { rows } = await view.fold(partition, position, moved(position), () => late, false);
    expect(byWindow(rows)).toMatchObject([
      { is_corrected: true, is_final: true, revision: 3, reading_count: 2 },
      { is_corrected: false, is_final: false, revision: 2, reading_count: 2 },
    ]);
  });

  it('finds what has changed since, whichever segment or watermark it was for', async () => {
    const partition = newPartition();
    const first = await view.open(partition);
    const one = await view.fold(partition, first, moved(first, { segmentFirstOffset: 10 }), () => [delta()], true);
    const published = { change: 1, segment: 0, untilMs: undefined };
    const watermarkMs = START + HOUR_MS;
    const next = delta({ startMs: START + HOUR_MS });
    const two = await view.fold(partition, one.position, moved(one.position, { watermarkMs }), () => [next], false);
    // As many as are made final at once, so it is not known yet whether that was all.
    const three = await view.finalize(partition, two.position, 1);
    expect(three.position.finalizedUntilMs).toBeUndefined();
    const upTo = { change: three.position.changeNumber, watermarkMs };
    const changed = await view.changedSince(partition, published, upTo, 100);
    expect(changed.map((row) => [row.segment_first_offset, row.change_number, row.is_final])).toEqual([
      [10, 2, false],
      [0, three.position.changeNumber, true],
    ]);
    const later = { ...published, segment: 10 };
    expect(await view.changedSince(partition, later, upTo, 100)).toEqual(changed);
    expect(await view.changedSince(partition, later, upTo, 1)).toEqual(changed.slice(0, 1));
    expect(await view.changedSince(partition, { ...later, untilMs: watermarkMs }, upTo, 100)).toHaveLength(1);
    expect(await view.changedSince(partition, { ...published, change: upTo.change }, upTo, 100)).toEqual([]);
    expect(
      await bed.database.query(`SELECT first_offset, last_offset FROM ${bed.schema}.speed_segment WHERE topic = $1`, [
        partition.topic,
      ]),
    ).toEqual([{ first_offset: '0', last_offset: '9' }]);
  });

  it('removes only what the batch view covers, is final and published, and then the segment', async () => {
    const partition = newPartition();
    const first = await view.open(partition);
    const hours = [delta(), delta({ startMs: START + HOUR_MS }), delta({ startMs: START + 2 * HOUR_MS })];
    const watermarkMs = START + 2 * HOUR_MS;
    let { position } = await view.fold(
      partition,
      first,
      moved(first, { segmentFirstOffset: 10, watermarkMs }),
      () => hours,
      true,
    );
    ({ position } = await view.finalize(partition, position, 100));
    ({ position } = await view.fold(partition, position, moved(position), () => hours, false));
    const everything = { change: position.changeNumber, segment: 10, untilMs: undefined };
    const left = async () =>
      (
        await bed.database.query<{ row: string }>(
          `SELECT segment_first_offset || ' ' || extract(hour FROM window_start AT TIME ZONE 'UTC') AS row
           FROM ${bed.schema}.speed_view WHERE topic = $1 ORDER BY 1`,
          [partition.topic],
        )
      ).map(({ row }) => row);
    expect(await view.removeCovered(partition, everything, 100)).toBe(false);
    expect(await left()).toHaveLength(6);
    await bed.database.query(
      `INSERT INTO ${bed.schema}.batch_boundary SELECT $1, 0, 9, max(id) FROM ${bed.schema}.batch_build`,
      [partition.topic],
    );
    expect(await view.removeCovered(partition, { ...everything, change: 0 }, 100)).toBe(false);
    expect(await left()).toHaveLength(6);
    expect(await view.removeCovered(partition, everything, 1)).toBe(true);
    expect(await view.removeCovered(partition, everything, 100)).toBe(false);
    expect(await left()).toEqual(['0 2', '10 0', '10 1', '10 2']);
    const segments = `SELECT 1 FROM ${bed.schema}.speed_segment WHERE topic = $1`;
    expect(await bed.database.query(segments, [partition.topic])).toHaveLength(1);
    ({ position } = await view
      .note(partition, position, { ...position, watermarkMs: START + 3 * HOUR_MS })
      .then(async (noted) => view.finalize(partition, noted, 100)));
    await view.removeCovered(partition, { ...everything, change: position.changeNumber }, 100);
    expect(await left()).toEqual(['10 0', '10 1', '10 2']);
    expect(await bed.database.query(segments, [partition.topic])).toEqual([]);
  });
});
