/** SQL of the serving database by which windows that were added up become the batch view. */
import { COMBINED_IN_POSTGRES } from '../../grid/aggregate/hive-sql.ts';
import { boundsMs, EventDays, type Stretch } from '../readings/days.ts';
import { AGGREGATE_PARTS, WINDOW_COLUMNS } from './statements.ts';

export interface BuildRelations {
  /** Quoted. */
  readonly schema: string;
  readonly buildId: string;
}

const KEY = 'sensor_id, aspect, unit, resolution, window_start';
const AGGREGATE = [
  'reading_count',
  'inexact_count',
  'unsquared_count',
  'value_sum',
  'value_sum_of_squares',
  'value_min',
  'value_max',
  'first_order',
  'first_value',
  'last_order',
  'last_value',
  'weighted_sum',
  'weighted_ms',
];

/** Windows as Hive writes them. */
function partsTable({ schema, buildId }: BuildRelations): string {
  return `${schema}."views_parts_${buildId}"`;
}

/** Windows as the view has them. */
export function freshTable({ schema, buildId }: BuildRelations): string {
  return `${schema}."views_fresh_${buildId}"`;
}

export function dropRelations(build: BuildRelations): string {
  return `DROP TABLE IF EXISTS ${partsTable(build)}, ${freshTable(build)}`;
}

export function createRelations(build: BuildRelations): readonly string[] {
  const typeOf = (name: string): string => (name.endsWith('_at') ? 'text' : 'numeric');
  const window = WINDOW_COLUMNS.map((name) => `${name} ${name === 'window_start_ms' ? 'bigint' : 'text'}`);
  const parts = AGGREGATE_PARTS.map((name) => `${name} ${typeOf(name)}`);
  return [
    `CREATE UNLOGGED TABLE ${partsTable(build)} (${[...window, ...parts].join(', ')})`,
    `CREATE UNLOGGED TABLE ${freshTable(build)} (LIKE ${build.schema}.batch_view)`,
    `ALTER TABLE ${freshTable(build)} DROP COLUMN build_id`,
  ];
}

/** Target of the COPY. */
export function partsTarget(build: BuildRelations): string {
  return `${partsTable(build)} (${[...WINDOW_COLUMNS, ...AGGREGATE_PARTS].join(', ')})`;
}

export function combineStatements(build: BuildRelations): readonly string[] {
  const { value_sum, value_sum_of_squares, weighted_sum } = COMBINED_IN_POSTGRES;
  const { first_order, first_value, last_order, last_value } = COMBINED_IN_POSTGRES;
  return [
    `INSERT INTO ${freshTable(build)} (${KEY}, ${AGGREGATE.join(', ')})
SELECT t.sensor_id, t.aspect, t.unit, t.resolution, to_timestamp(t.window_start_ms / 1000),
  t.reading_count, t.inexact_count, t.unsquared_count, ${value_sum}, ${value_sum_of_squares},
  trim_scale(t.value_min), trim_scale(t.value_max),
  ${first_order}, ${first_value}, ${last_order}, ${last_value}, ${weighted_sum}, t.weighted_ms
FROM ${partsTable(build)} t`,
    `ANALYZE ${freshTable(build)}`,
  ];
}

/** What differs between the view, within its days and resolutions, and the fresh windows. */
export function changesStatement(build: BuildRelations, { days, resolutions }: ViewScope): string {
  const columns = AGGREGATE.join(', ');
  const names = resolutions.map((resolution) => `'${resolution}'`);
  return `CREATE TEMPORARY TABLE changed_windows ON COMMIT DROP AS
SELECT ${KEY}, CASE WHEN v.reading_count IS NULL THEN 'new' WHEN f.reading_count IS NULL THEN 'gone' ELSE 'changed' END AS change,
  v.reading_count AS count_before, v.value_sum AS sum_before, f.reading_count AS count_after, f.value_sum AS sum_after
FROM ${freshTable(build)} f
FULL JOIN (SELECT ${KEY}, ${columns} FROM ${build.schema}.batch_view
  WHERE resolution IN (${names.join(', ')}) AND (${daysCondition(days)})) v USING (${KEY})
WHERE (${AGGREGATE.map((name) => `f.${name}`).join(', ')}) IS DISTINCT FROM (${AGGREGATE.map((name) => `v.${name}`).join(', ')})`;
}

export interface ViewScope {
  readonly days: readonly Stretch[];
  readonly resolutions: readonly string[];
}

/** Brings the changes into the view; `$1` is the build's id. */
export function swapStatements(build: BuildRelations): readonly { readonly text: string; readonly hasId: boolean }[] {
  const { schema } = build;
  return [
    {
      text: `DELETE FROM ${schema}.batch_view v USING changed_windows c
WHERE c.change = 'gone' AND (v.sensor_id, v.aspect, v.unit, v.resolution, v.window_start) = (c.sensor_id, c.aspect, c.unit, c.resolution, c.window_start)`,
      hasId: false,
    },
    {
      text: `INSERT INTO ${schema}.batch_view (${KEY}, ${AGGREGATE.join(', ')}, build_id)
SELECT ${KEY}, ${AGGREGATE.map((name) => `f.${name}`).join(', ')}, $1::bigint
FROM ${freshTable(build)} f JOIN changed_windows c USING (${KEY})
ON CONFLICT (${KEY}) DO UPDATE SET ${[...AGGREGATE, 'build_id'].map((name) => `${name} = excluded.${name}`).join(', ')}`,
      hasId: true,
    },
  ];
}

/** Figures of the changes: how many of each kind, and how many on days that new readings do not touch. */
export function changeFigures(touched: readonly Stretch[]): string {
  const untouched = touched.length === 0 ? 'true' : `NOT (${daysCondition(touched)})`;
  return `SELECT count(*) FILTER (WHERE change = 'new') AS new, count(*) FILTER (WHERE change = 'changed') AS changed,
  count(*) FILTER (WHERE change = 'gone') AS gone, count(*) FILTER (WHERE ${untouched}) AS mended FROM changed_windows`;
}

/** The first changes: those that nobody expects before windows that are just new, and long windows before short ones. */
export function changeExamples(most: number): string {
  return `SELECT sensor_id, aspect, unit, resolution, (extract(epoch FROM window_start) * 1000)::bigint AS window_start_ms, change,
  count_before, sum_before, count_after, sum_after FROM changed_windows
ORDER BY change = 'new', array_position(ARRAY['day', 'hour', 'minute'], resolution), ${KEY} LIMIT ${most}`;
}

function daysCondition(days: readonly Stretch[]): string {
  if (days.length === 0) return 'false';
  if (EventDays.of(days).isAll) return 'true';
  return days
    .map((stretch) => {
      const [fromMs, toMs] = boundsMs(stretch);
      return `(window_start >= to_timestamp(${fromMs / 1_000}) AND window_start < to_timestamp(${toMs / 1_000}))`;
    })
    .join(' OR ');
}
