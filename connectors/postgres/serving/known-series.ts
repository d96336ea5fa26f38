import type { TemporalAspect } from '../../../grid/reading.ts';
import type { ServingStatements } from './serving-database.ts';

/** A sensor and what windows there are of it. */
export interface KnownSensor {
  readonly sensorId: string;
  readonly series: readonly { readonly aspect: TemporalAspect; readonly unit: string }[];
}

/**
 * Sensors that have windows, by id. Each is found by one step into the primary keys of both views, over all windows of the one before, and its units
 * likewise.
 *
 * @param schema quoted
 * @param after the last sensor of the page before; '' for the first page
 * @throws GridError `serving-database-unavailable`, `serving-database-refused`
 */
export async function knownSensors(
  database: ServingStatements,
  schema: string,
  after: string,
  limit: number,
): Promise<readonly KnownSensor[]> {
  const nextId = (behind: string): string => `least(
    (SELECT min(sensor_id) FROM ${schema}.batch_view WHERE sensor_id > ${behind}),
    (SELECT min(sensor_id) FROM ${schema}.speed_view WHERE sensor_id > ${behind}))`;
  const nextUnit = (behind: string): string => `least(
    (SELECT min(unit) FROM ${schema}.batch_view WHERE sensor_id = i.id AND aspect = a.aspect AND ${behind}),
    (SELECT min(unit) FROM ${schema}.speed_view WHERE sensor_id = i.id AND aspect = a.aspect AND ${behind}))`;
  const rows = await database.query<{ id: string; aspect: TemporalAspect; unit: string }>(
    `WITH RECURSIVE ids AS (
      SELECT ${nextId('$1::text')} AS id
      UNION ALL
      SELECT ${nextId('ids.id')} FROM ids WHERE ids.id IS NOT NULL
    ), page AS (SELECT id FROM ids WHERE id IS NOT NULL LIMIT $2::bigint)
    SELECT i.id, a.aspect, u.unit
    FROM page i CROSS JOIN (VALUES ('edge_prediction'), ('real_time')) a (aspect)
    CROSS JOIN LATERAL (
      WITH RECURSIVE units AS (
        SELECT ${nextUnit('true')} AS unit
        UNION ALL
        SELECT ${nextUnit('unit > units.unit')} FROM units WHERE units.unit IS NOT NULL
      ) SELECT unit FROM units WHERE unit IS NOT NULL LIMIT 100
    ) u
    ORDER BY i.id, a.aspect, u.unit`,
    [after, limit],
    'known-sensors',
  );
  const sensors = new Map<string, { aspect: TemporalAspect; unit: string }[]>();
  for (const { id, aspect, unit } of rows) {
    const series = sensors.get(id) ?? [];
    series.push({ aspect, unit });
    sensors.set(id, series);
  }
  return [...sensors].map(([sensorId, series]) => ({ sensorId, series }));
}
