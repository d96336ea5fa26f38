import type { ServingDatabase, ServingStatements } from '../../connectors/postgres/serving/serving-database.ts';
import type { MergedWindow, Provenance } from '../../connectors/postgres/serving/merged-view.ts';
import { aggregateOf, EMPTY, merged, SQUARE_SCALE, type Aggregate } from '../../grid/aggregate/aggregate.ts';
import { decimalText, EXACT_SCALE, unitsOf } from '../../grid/aggregate/exact-decimal.ts';
import { RESOLUTIONS, windowStartMs, type Resolution } from '../../grid/aggregate/window.ts';
import type { Reading, TemporalAspect } from '../../grid/reading.ts';

export const TOPIC = 'MODEL';

export type ModelReading = Pick<
  Reading,
  'sensorId' | 'aspect' | 'unit' | 'modality' | 'createdAt' | 'correlationId' | 'eventTimeMs'
>;

/** Partitions whose readings are all known beforehand, cut into segments, and the two layers that read them step by step. */
export interface ModelLog {
  /** By partition and offset. */
  readonly partitions: readonly (readonly ModelReading[])[];
  /** First offsets of the segments of each partition, rising, 0 first. */
  readonly segments: readonly (readonly number[])[];
}

interface WindowKey {
  readonly sensorId: string;
  readonly aspect: TemporalAspect;
  readonly unit: string;
  readonly resolution: Resolution;
  readonly startMs: number;
}

const COLUMNS = `reading_count, inexact_count, unsquared_count, value_sum, value_sum_of_squares, value_min, value_max,
  first_order, first_value, last_order, last_value`;

/** Takes the next `count` readings of a partition into the speed view, as the windows sink does: rows and position in one transaction. */
export async function foldNext(
  database: ServingDatabase,
  log: ModelLog,
  partition: number,
  count: number,
): Promise<void> {
  await database.inTransaction('Folding', async (transaction) => {
    const next = await positionOf(transaction, database.schema, partition);
    const readings = (log.partitions[partition] ?? []).slice(next, next + count);
    const deltas = new Map<string, { key: WindowKey; segment: number; aggregate: Aggregate }>();
    for (const [at, reading] of readings.entries()) {
      const segment = segmentOf(log, partition, next + at);
      for (const key of windowsOf(reading)) {
        const name = JSON.stringify([key, segment]);
        const held = deltas.get(name)?.aggregate ?? EMPTY;
        deltas.set(name, { key, segment, aggregate: merged(held, aggregateOf(reading)) });
      }
    }
    for (const { key, segment, aggregate } of deltas.values()) {
      const place = [...keyValues(key), TOPIC, partition, segment];
      const [row] = await transaction.query<AggregateRow>(
        `DELETE FROM ${database.schema}.speed_view WHERE (sensor_id, aspect, unit, resolution, window_start, topic, partition, segment_first_offset)
         = ($1, $2, $3, $4, $5::timestamptz, $6, $7::int, $8::bigint) RETURNING ${COLUMNS}`,
        place,
      );
      const whole = row === undefined ? aggregate : merged(aggregateFrom(row), aggregate);
      await transaction.query(
        `INSERT INTO ${database.schema}.speed_view (sensor_id, aspect, unit, resolution, window_start, topic, partition, segment_first_offset, ${COLUMNS}, revision, is_corrected)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 1, false)`,
        [...place, ...aggregateValues(whole)],
      );
    }
    await movePosition(transaction, database.schema, log, partition, next + readings.length);
  });
}

/** Publishes a batch view up to the given last offsets, which are ends of segments: as `buildBatchViews` does, all in one transaction. */
export async function publish(database: ServingDatabase, log: ModelLog, boundary: readonly number[]): Promise<void> {
  const { schema } = database;
  await database.inTransaction('Publishing', async (transaction) => {
    for (const [partition, lastOffset] of boundary.entries()) {
      // The sink was not that far: it goes on behind the boundary.
      if ((await positionOf(transaction, schema, partition)) <= lastOffset)
        await movePosition(transaction, schema, log, partition, lastOffset + 1);
    }
    const covered = boundary.map((lastOffset) => lastOffset + 1);
    const [build] = await transaction.query<{ id: string }>(
      `INSERT INTO ${schema}.batch_build (run_id, boundary, is_rebuild, reading_count, changed_windows)
       SELECT 'run-' || (count(*) + 1), '[]', false, 0, 0 FROM ${schema}.batch_build RETURNING id`,
    );
    await transaction.query(`DELETE FROM ${schema}.batch_view`);
    for (const [name, aggregate] of recomputed(log, covered)) {
      const key = JSON.parse(name) as WindowKey;
      await transaction.query(
        `INSERT INTO ${schema}.batch_view (sensor_id, aspect, unit, resolution, window_start, ${COLUMNS}, build_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
        [...keyValues(key), ...aggregateValues(aggregate), build?.id],
      );
    }
    for (const [partition, lastOffset] of boundary.entries()) {
      await transaction.query(
        `INSERT INTO ${schema}.batch_boundary VALUES ($1, $2, $3, $4)
         ON CONFLICT (topic, partition) DO UPDATE SET last_offset = excluded.last_offset, build_id = excluded.build_id`,
        [TOPIC, partition, lastOffset, build?.id],
      );
    }
  });
}

/** Removes some rows of the speed view that the batch view covers. */
export async function removeCovered(database: ServingDatabase, most: number): Promise<void> {
  await database.query(
    `DELETE FROM ${database.schema}.speed_view WHERE ctid IN (
       SELECT v.ctid FROM ${database.schema}.speed_view v JOIN ${database.schema}.batch_boundary b USING (topic, partition)
       WHERE v.segment_first_offset <= b.last_offset LIMIT $1)`,
    [most],
  );
}

/** How many readings of each partition an answer must have in it, by what it says of itself. */
export function coveredBy({ boundary, speed }: Provenance, partitions: number): number[] {
  const of = <T extends { readonly partition: number }>(list: readonly T[], partition: number): T | undefined =>
    list.find((entry) => entry.partition === partition);
  return Array.from({ length: partitions }, (_, partition) =>
    Math.max(Number(of(boundary, partition)?.lastOffset ?? -1) + 1, Number(of(speed, partition)?.nextOffset ?? 0)),
  );
}

/** Every window of the first readings of each partition, from the readings alone; by {@link WindowKey} as JSON. */
export function recomputed(log: ModelLog, covered: readonly number[]): Map<string, Aggregate> {
  const windows = new Map<string, Aggregate>();
  for (const [partition, readings] of log.partitions.entries()) {
    for (const reading of readings.slice(0, covered[partition])) {
      for (const key of windowsOf(reading)) {
        const name = JSON.stringify(key);
        windows.set(name, merged(windows.get(name) ?? EMPTY, aggregateOf(reading)));
      }
    }
  }
  return windows;
}

/** A window's aggregate as an answer shows it. */
export function shown(aggregate: Aggregate): Omit<MergedWindow, 'unit' | 'startMs' | 'batchCount' | 'isCorrected'> {
  const exact = (units: bigint | undefined): string | undefined =>
    units === undefined ? undefined : decimalText(units, EXACT_SCALE);
  return {
    count: aggregate.count,
    inexact: aggregate.inexact,
    unsquared: aggregate.unsquared,
    sum: decimalText(aggregate.sum, EXACT_SCALE),
    sumOfSquares: decimalText(aggregate.sumOfSquares, SQUARE_SCALE),
    min: exact(aggregate.min),
    max: exact(aggregate.max),
    firstOrder: aggregate.first?.order ?? '',
    firstValue: aggregate.first?.value ?? '',
    lastOrder: aggregate.last?.order ?? '',
    lastValue: aggregate.last?.value ?? '',
    weightedSum: undefined,
    weightedMs: undefined,
  };
}

/** The first offset of the segment that an offset lies in. */
export function segmentOf(log: ModelLog, partition: number, offset: number): number {
  return (log.segments[partition] ?? []).findLast((first) => first <= offset) ?? 0;
}

function windowsOf({ sensorId, aspect, unit, eventTimeMs }: ModelReading): WindowKey[] {
  return RESOLUTIONS.map((resolution) => {
    const startMs = windowStartMs(eventTimeMs, resolution);
    return { sensorId, aspect, unit, resolution, startMs };
  });
}

async function positionOf(transaction: ServingStatements, schema: string, partition: number): Promise<number> {
  const [row] = await transaction.query<{ next_offset: string }>(
    `SELECT next_offset FROM ${schema}.speed_position WHERE topic = $1 AND partition = $2 FOR UPDATE`,
    [TOPIC, partition],
  );
  return Number(row?.next_offset ?? 0);
}

async function movePosition(
  transaction: ServingStatements,
  schema: string,
  log: ModelLog,
  partition: number,
  next: number,
): Promise<void> {
  await transaction.query(
    `INSERT INTO ${schema}.speed_position VALUES ($1, $2, $3, $4, 0, now(), now())
     ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, segment_first_offset = excluded.segment_first_offset`,
    [TOPIC, partition, next, segmentOf(log, partition, next)],
  );
}

interface AggregateRow {
  readonly [column: string]: string | null;
}

function aggregateFrom(row: AggregateRow): Aggregate {
  const text = (column: string): string => row[column] ?? '';
  const exact = (column: string): bigint | undefined =>
    row[column] == null ? undefined : unitsOf(text(column), EXACT_SCALE);
  return {
    count: Number(text('reading_count')),
    inexact: Number(text('inexact_count')),
    unsquared: Number(text('unsquared_count')),
    sum: unitsOf(text('value_sum'), EXACT_SCALE),
    sumOfSquares: unitsOf(text('value_sum_of_squares'), SQUARE_SCALE),
    min: exact('value_min'),
    max: exact('value_max'),
    first: { order: text('first_order'), value: text('first_value') },
    last: { order: text('last_order'), value: text('last_value') },
  };
}

function aggregateValues(aggregate: Aggregate): unknown[] {
  const { count, inexact, unsquared, sum, sumOfSquares, min, max, ...ends } = shown(aggregate);
  const decimals = [count, inexact, unsquared, sum, sumOfSquares, min ?? null, max ?? null];
  return [...decimals, ends.firstOrder, ends.firstValue, ends.lastOrder, ends.lastValue];
}

function keyValues({ sensorId, aspect, unit, resolution, startMs }: WindowKey): unknown[] {
  return [sensorId, aspect, unit, resolution, new Date(startMs).toISOString()];
}
