import { RESOLUTIONS, windowLengthMs, type Resolution } from '../../../grid/aggregate/window.ts';
import { AGGREGATE_COLUMNS, type AggregateRow } from './aggregate-columns.ts';

/** What a window is of, beside its aggregate, as parameters: the start in epoch seconds, since windows begin with whole ones. */
const WINDOW_PARAMETERS = [
  ['sensor_id', 'text'],
  ['aspect', 'text'],
  ['unit', 'text'],
  ['resolution', 'text'],
  ['start_seconds', 'bigint'],
  ['is_late', 'boolean'],
] as const;

const names = AGGREGATE_COLUMNS.map(({ name }) => name);
const KEY = 'sensor_id, aspect, unit, resolution, window_start, topic, partition, segment_first_offset';

/** A row of the speed view as readers get it; decimals without needless zeros. */
const SHOWN = `v.sensor_id, v.aspect, v.unit, v.resolution, (extract(epoch FROM v.window_start) * 1000)::float8 AS start_ms,
  v.segment_first_offset::float8 AS segment_first_offset, v.reading_count::float8 AS reading_count,
  v.inexact_count::float8 AS inexact_count, v.unsquared_count::float8 AS unsquared_count,
  trim_scale(v.value_sum)::text AS value_sum, trim_scale(v.value_sum_of_squares)::text AS value_sum_of_squares,
  trim_scale(v.value_min)::text AS value_min, trim_scale(v.value_max)::text AS value_max,
  v.first_order, v.first_value, v.last_order, v.last_value,
  v.revision::float8 AS revision, v.is_final, v.is_corrected, v.change_number::float8 AS change_number`;

/**
 * The statements of the windows sink, for a quoted schema. $1 and $2 are topic and partition throughout; moments are epoch milliseconds.
 */
export function speedStatements(schema: string) {
  const view = `${schema}.speed_view`;
  const moment = (parameter: string): string => `to_timestamp(${parameter}::float8 / 1000)`;
  const columns = [...WINDOW_PARAMETERS.map(([name, type]) => ({ name, type })), ...AGGREGATE_COLUMNS];
  const arrays = columns.map(({ type }, index) => `$${index + 5}::${type}[]`).join(', ');
  const positionColumns = `next_offset::float8 AS next_offset, segment_first_offset::float8 AS segment_first_offset,
    segment_number::float8 AS segment_number, (extract(epoch FROM watermark) * 1000)::float8 AS watermark_ms,
    change_number::float8 AS change_number, (extract(epoch FROM finalized_until) * 1000)::float8 AS finalized_until_ms,
    published_change::float8 AS published_change, published_segment::float8 AS published_segment,
    (extract(epoch FROM published_until) * 1000)::float8 AS published_until_ms`;
  /** Windows that end after $6, if that is not NULL, and not after $7. */
  const ended = RESOLUTIONS.map((resolution) => {
    const length = windowLengthMs(resolution);
    return `(v.resolution = '${resolution}' AND ($6::float8 IS NULL OR v.window_start > ${moment(`($6::float8 - ${length})`)})
      AND v.window_start <= ${moment(`($7::float8 - ${length})`)})`;
  }).join(' OR ');

  return {
    boundary: `SELECT last_offset::float8 AS last_offset FROM ${schema}.batch_boundary WHERE topic = $1 AND partition = $2`,
    makePosition: `INSERT INTO ${schema}.speed_position (topic, partition, next_offset, segment_first_offset, segment_number)
      VALUES ($1, $2, 0, 0, 0) ON CONFLICT DO NOTHING`,
    lockPosition: `SELECT ${positionColumns} FROM ${schema}.speed_position WHERE topic = $1 AND partition = $2 FOR UPDATE`,
    /** To an offset behind the boundary; with it a segment begins. */
    passBoundary: `UPDATE ${schema}.speed_position SET next_offset = $3, segment_first_offset = $3, updated_at = now()
      WHERE topic = $1 AND partition = $2`,
    /** Compare-and-swap: $3 and $4 are the offset and the number of the last change that are expected. */
    move: `UPDATE ${schema}.speed_position SET change_number = change_number + 1, next_offset = $5, segment_first_offset = $6,
        segment_number = $7, watermark = ${moment('$8')}, finalized_until = ${moment('$9')}, published_change = $10,
        published_segment = $11, published_until = ${moment('$12')}, updated_at = now()
      WHERE topic = $1 AND partition = $2 AND next_offset = $3 AND change_number = $4 RETURNING 1 AS moved`,
    endSegment: `INSERT INTO ${schema}.speed_segment (topic, partition, first_offset, last_offset) VALUES ($1, $2, $3, $4)`,
    /** $3 is the segment, $4 the number of the change. */
    fold: `INSERT INTO ${view} AS v (${KEY}, ${names.join(', ')}, revision, is_final, is_corrected, change_number)
      SELECT d.sensor_id, d.aspect, d.unit, d.resolution, to_timestamp(d.start_seconds), $1, $2, $3,
        ${names.map((name) => `d.${name}`).join(', ')}, 1, d.is_late, d.is_late, $4
      FROM unnest(${arrays}) AS d (${columns.map(({ name }) => name).join(', ')})
      ON CONFLICT (${KEY}) DO UPDATE SET
        ${AGGREGATE_COLUMNS.map(({ name, merged }) => `${name} = ${merged('v', 'excluded')}`).join(', ')},
        revision = v.revision + 1, is_final = v.is_final OR excluded.is_final,
        is_corrected = v.is_corrected OR excluded.is_corrected, change_number = excluded.change_number, updated_at = now()
      RETURNING ${SHOWN}`,
    /** Windows of resolution $4 that begin after $5 and not after $6, and are not final: at most $7 of them; $3 is the number of the change. */
    finalize: `UPDATE ${view} v SET is_final = true, revision = v.revision + 1, change_number = $3, updated_at = now()
      WHERE v.ctid = ANY(ARRAY(
        SELECT ctid FROM ${view} WHERE topic = $1 AND partition = $2 AND resolution = $4
          AND ($5::float8 IS NULL OR window_start > ${moment('$5')}) AND window_start <= ${moment('$6')} AND NOT is_final
        ORDER BY window_start LIMIT $7))
      RETURNING ${SHOWN}`,
    /**
     * Rows of changes after $3 and up to $4, about $8 of them, by change. What they are in: segments from $5 on, and what a change of the watermark from
     * $6 to $7 made final.
     */
    changed: `SELECT ${SHOWN} FROM ${view} v
      WHERE v.topic = $1 AND v.partition = $2 AND v.change_number > $3 AND v.change_number <= $4
        AND (v.segment_first_offset >= $5 OR ${ended})
      ORDER BY v.change_number FETCH FIRST $8 ROWS WITH TIES`,
    /** Final rows of segments that begin up to $3, changed up to $4: at most $5. */
    remove: `DELETE FROM ${view} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${view} WHERE topic = $1 AND partition = $2 AND segment_first_offset <= $3
          AND is_final AND change_number <= $4 LIMIT $5))`,
    /** Segments that begin up to $3 and have no rows any more. */
    removeSegments: `DELETE FROM ${schema}.speed_segment s WHERE s.topic = $1 AND s.partition = $2 AND s.first_offset <= $3
      AND NOT EXISTS (SELECT FROM ${view} v WHERE v.topic = $1 AND v.partition = $2 AND v.segment_first_offset = s.first_offset)`,
  };
}

export type SpeedStatements = ReturnType<typeof speedStatements>;

/** A row as the statements return it. */
export interface SpeedRow extends AggregateRow {
  readonly sensor_id: string;
  readonly aspect: string;
  readonly unit: string;
  readonly resolution: Resolution;
  readonly start_ms: number;
  readonly segment_first_offset: number;
  readonly revision: number;
  readonly is_final: boolean;
  readonly is_corrected: boolean;
  readonly change_number: number;
}
