import type { Resolution } from '../../../grid/aggregate/window.ts';
import type { TemporalAspect } from '../../../grid/reading.ts';
import type { ServingStatements } from './serving-database.ts';
import type { AggregateRow } from './aggregate-columns.ts';

/** Windows of one sensor that are asked for. */
export interface MergedQuery {
  readonly sensorId: string;
  readonly aspect: TemporalAspect;
  /** Undefined: every unit that the sensor has. */
  readonly unit?: string | undefined;
  readonly resolution: Resolution;
  /** Windows that begin at or after it, epoch ms. */
  readonly fromMs: number;
  /** Windows that begin before it, epoch ms. */
  readonly toMs: number;
  /** Only windows behind this one, in the order of start and unit. */
  readonly after?: { readonly startMs: number; readonly unit: string } | undefined;
  /** Windows at most. */
  readonly limit: number;
}

/** One window, batch and speed added up. Decimals are exact, as text without needless zeros. */
export interface MergedWindow {
  readonly unit: string;
  readonly startMs: number;
  readonly count: number;
  readonly inexact: number;
  readonly unsquared: number;
  readonly sum: string;
  readonly sumOfSquares: string;
  readonly min: string | undefined;
  readonly max: string | undefined;
  readonly firstOrder: string;
  readonly firstValue: string;
  readonly lastOrder: string;
  readonly lastValue: string;
  /** Time-weighted figures, of the batch part alone: Σ value·ms, and the ms. */
  readonly weightedSum: string | undefined;
  readonly weightedMs: string | undefined;
  /** Readings that the batch view has; the others are of the speed layer. */
  readonly batchCount: number;
  /** A part of the speed layer was changed after the window had been final. */
  readonly isCorrected: boolean;
}

/** What an answer rests on, of the same snapshot as the answer itself. */
export interface Provenance {
  /** The published batch view; undefined before the first. */
  readonly build: { readonly id: string; readonly publishedMs: number } | undefined;
  /** Offsets, inclusive, up to which the batch view has a partition. */
  readonly boundary: readonly { readonly topic: string; readonly partition: number; readonly lastOffset: string }[];
  /** How far the windows of the speed layer are, and the event time that each partition has passed. */
  readonly speed: readonly SpeedPosition[];
}

export interface SpeedPosition {
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: string;
  readonly watermarkMs: number | undefined;
  readonly updatedMs: number;
}

export interface MergedAnswer {
  readonly provenance: Provenance;
  readonly windows: readonly MergedWindow[];
}

/** How a view's rows of one sensor are reached: by its primary key, whose third part is the unit. */
const OF_SENSOR = `r.sensor_id = $1 AND r.aspect = $2 AND r.unit = u.unit AND r.resolution = $3
      AND r.window_start >= $4::timestamptz AND r.window_start < $5::timestamptz`;
/** Behind the window of `after`. */
const BEHIND = `($6::timestamptz IS NULL OR (v.window_start, v.unit) > ($6::timestamptz, $7::text))`;

/** The units that a sensor has in a view, each by one step into the primary key. */
const unitsIn = (name: string, view: string): string => `${name} AS (
  (SELECT unit FROM ${view} WHERE sensor_id = $1 AND aspect = $2 ORDER BY unit LIMIT 1)
  UNION ALL
  SELECT (SELECT r.unit FROM ${view} r WHERE r.sensor_id = $1 AND r.aspect = $2 AND r.unit > u.unit ORDER BY r.unit LIMIT 1)
  FROM ${name} u WHERE u.unit IS NOT NULL
)`;

/** Of the two parts' first readings the earlier one, as `grid/aggregate` decides: by its order, then by its text. */
const first = (column: 'first_order' | 'first_value'): string =>
  `CASE WHEN s.first_order IS NULL OR (b.first_order, b.first_value) <= (s.first_order, s.first_value) THEN b.${column} ELSE s.${column} END`;
const last = (column: 'last_order' | 'last_value'): string =>
  `CASE WHEN s.last_order IS NULL OR (b.last_order, b.last_value) >= (s.last_order, s.last_value) THEN b.${column} ELSE s.${column} END`;
const added = (column: string): string => `coalesce(b.${column}, 0) + coalesce(s.${column}, 0)`;

/**
 * `batch_view` ⊕ the segments of `speed_view` beyond `batch_boundary`, and what they rest on: one statement, so one snapshot, whatever is
 * published or removed meanwhile. Both views are read by their primary keys, and the speed layer's rows of a window are added up before they
 * meet the batch view's, since there are few of them. The row whose `header` is set has the provenance.
 *
 * Parameters: sensor, aspect, resolution, from, to, start and unit of the window before, most windows, and the unit if it is given.
 */
function statement(schema: string, hasUnit: boolean): string {
  const units = (name: string, view: string): string =>
    hasUnit ? `${name} AS (SELECT $9::text COLLATE "C" AS unit)` : unitsIn(name, `${schema}.${view}`);
  return `
WITH RECURSIVE ${units('batch_units', 'batch_view')}, ${units('speed_units', 'speed_view')},
batch AS (
  SELECT v.* FROM batch_units u CROSS JOIN LATERAL (
    SELECT r.* FROM ${schema}.batch_view r WHERE ${OF_SENSOR} ORDER BY r.window_start LIMIT $8::bigint + 1
  ) v
  WHERE ${BEHIND}
),
speed AS (
  SELECT v.unit, v.window_start, sum(v.reading_count) AS reading_count, sum(v.inexact_count) AS inexact_count,
    sum(v.unsquared_count) AS unsquared_count, sum(v.value_sum) AS value_sum,
    sum(v.value_sum_of_squares) AS value_sum_of_squares, min(v.value_min) AS value_min, max(v.value_max) AS value_max,
    (array_agg(v.first_order ORDER BY v.first_order, v.first_value))[1] AS first_order,
    (array_agg(v.first_value ORDER BY v.first_order, v.first_value))[1] AS first_value,
    (array_agg(v.last_order ORDER BY v.last_order DESC, v.last_value DESC))[1] AS last_order,
    (array_agg(v.last_value ORDER BY v.last_order DESC, v.last_value DESC))[1] AS last_value,
    bool_or(v.is_corrected) AS is_corrected
  FROM speed_units u CROSS JOIN LATERAL (SELECT r.* FROM ${schema}.speed_view r WHERE ${OF_SENSOR}) v
  LEFT JOIN ${schema}.batch_boundary o ON o.topic = v.topic AND o.partition = v.partition
  WHERE v.segment_first_offset > coalesce(o.last_offset, -1) AND ${BEHIND}
  GROUP BY v.unit, v.window_start
),
merged AS (
  SELECT unit, window_start,
    ${added('reading_count')} AS reading_count, ${added('inexact_count')} AS inexact_count,
    ${added('unsquared_count')} AS unsquared_count, ${added('value_sum')} AS value_sum,
    ${added('value_sum_of_squares')} AS value_sum_of_squares,
    least(b.value_min, s.value_min) AS value_min, greatest(b.value_max, s.value_max) AS value_max,
    ${first('first_order')} AS first_order, ${first('first_value')} AS first_value,
    ${last('last_order')} AS last_order, ${last('last_value')} AS last_value,
    b.weighted_sum, b.weighted_ms, coalesce(b.reading_count, 0) AS batch_count, coalesce(s.is_corrected, false) AS is_corrected
  FROM batch b FULL JOIN speed s USING (unit, window_start)
  ORDER BY window_start, unit LIMIT $8::bigint
)
SELECT NULL::json AS header, unit, (extract(epoch FROM window_start) * 1000)::float8 AS start_ms,
  reading_count::float8 AS reading_count, inexact_count::float8 AS inexact_count, unsquared_count::float8 AS unsquared_count,
  trim_scale(value_sum)::text AS value_sum, trim_scale(value_sum_of_squares)::text AS value_sum_of_squares,
  trim_scale(value_min)::text AS value_min, trim_scale(value_max)::text AS value_max,
  first_order, first_value, last_order, last_value,
  trim_scale(weighted_sum)::text AS weighted_sum, weighted_ms::text AS weighted_ms,
  batch_count::float8 AS batch_count, is_corrected
FROM merged
UNION ALL
SELECT json_build_object(
    'build', (SELECT json_build_object('id', id::text, 'publishedMs', (extract(epoch FROM published_at) * 1000)::bigint)
              FROM ${schema}.batch_build ORDER BY id DESC LIMIT 1),
    'boundary', (SELECT coalesce(json_agg(json_build_object('topic', topic, 'partition', partition, 'lastOffset', last_offset::text)
              ORDER BY topic, partition), '[]') FROM ${schema}.batch_boundary),
    'speed', (SELECT coalesce(json_agg(json_build_object('topic', topic, 'partition', partition, 'nextOffset', next_offset::text,
                'watermarkMs', (extract(epoch FROM watermark) * 1000)::bigint, 'updatedMs', (extract(epoch FROM updated_at) * 1000)::bigint)
              ORDER BY topic, partition), '[]') FROM ${schema}.speed_position)
  ), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`;
}

interface HeaderRow {
  readonly header: {
    readonly build: { readonly id: string; readonly publishedMs: number } | null;
    readonly boundary: Provenance['boundary'];
    readonly speed: readonly (Omit<SpeedPosition, 'watermarkMs'> & { readonly watermarkMs: number | null })[];
  };
}

interface WindowRow extends AggregateRow {
  readonly header: null;
  readonly unit: string;
  readonly start_ms: number;
  readonly weighted_sum: string | null;
  readonly weighted_ms: string | null;
  readonly batch_count: number;
  readonly is_corrected: boolean;
}

/**
 * Windows of a sensor as all its readings say, up to the newest that the windows of the speed layer have: exact at every moment, whatever is
 * folded, published or removed meanwhile.
 *
 * @param schema quoted
 * @throws GridError `serving-database-unavailable`, `serving-database-refused`
 */
export async function mergedWindows(
  database: ServingStatements,
  schema: string,
  query: MergedQuery,
): Promise<MergedAnswer> {
  const { sensorId, aspect, unit, resolution, after, limit } = query;
  const fromMs = Math.max(query.fromMs, after?.startMs ?? query.fromMs);
  const values = [
    ...[sensorId, aspect, resolution, isoOf(fromMs), isoOf(query.toMs)],
    ...[after === undefined ? null : isoOf(after.startMs), after?.unit ?? null, limit],
    ...(unit === undefined ? [] : [unit]),
  ];
  const hasUnit = unit !== undefined;
  const name = hasUnit ? 'merged-windows-of-unit' : 'merged-windows';
  const rows = await database.query<HeaderRow | WindowRow>(statement(schema, hasUnit), values, name);
  let provenance: Provenance = { build: undefined, boundary: [], speed: [] };
  const windows: MergedWindow[] = [];
  for (const row of rows) {
    if (row.header === null) windows.push(windowOf(row));
    else provenance = provenanceOf(row.header);
  }
  return { provenance, windows };
}

function provenanceOf({ build, boundary, speed }: HeaderRow['header']): Provenance {
  return {
    build: build ?? undefined,
    boundary,
    speed: speed.map((position) => ({ ...position, watermarkMs: position.watermarkMs ?? undefined })),
  };
}

function windowOf(row: WindowRow): MergedWindow {
  return {
    unit: row.unit,
    startMs: row.start_ms,
    count: row.reading_count,
    inexact: row.inexact_count,
    unsquared: row.unsquared_count,
    sum: row.value_sum,
    sumOfSquares: row.value_sum_of_squares,
    min: row.value_min ?? undefined,
    max: row.value_max ?? undefined,
    firstOrder: row.first_order,
    firstValue: row.first_value,
    lastOrder: row.last_order,
    lastValue: row.last_value,
    weightedSum: row.weighted_sum ?? undefined,
    weightedMs: row.weighted_ms ?? undefined,
    batchCount: row.batch_count,
    isCorrected: row.is_corrected,
  };
}

function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
