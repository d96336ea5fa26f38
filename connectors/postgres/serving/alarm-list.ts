import type { Severity } from '../../../grid/alarms/rule.ts';
import { ms } from './alarm-statements.ts';
import type { ServingDatabase, ServingStatements } from './serving-database.ts';

/** Which alarms are meant. `open`: raised and acknowledged ones. */
export const ALARM_FILTERS = ['open', 'raised', 'acknowledged', 'cleared', 'all'] as const;
export type AlarmFilter = (typeof ALARM_FILTERS)[number];

const FILTERS: Readonly<Record<AlarmFilter, string>> = {
  open: 'cleared_reason IS NULL',
  raised: 'cleared_reason IS NULL AND acknowledged_at IS NULL',
  acknowledged: 'cleared_reason IS NULL AND acknowledged_at IS NOT NULL',
  cleared: 'cleared_reason IS NOT NULL',
  all: 'true',
};

export interface AlarmQuestion {
  readonly state: AlarmFilter;
  readonly severity: Severity | undefined;
  readonly sensorId: string | undefined;
  readonly rule: string | undefined;
  /** The last alarm of the page before. */
  readonly before: string | undefined;
  readonly limit: number;
}

/** An alarm as it stands in the table; moments are epoch ms. */
export interface AlarmRow {
  readonly id: string;
  readonly rule_id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly sensor_id: string;
  readonly aspect: string;
  readonly unit: string;
  readonly topic: string;
  readonly partition: number;
  readonly limit_text: string;
  readonly since_ms: number;
  readonly raised_ms: number;
  readonly raised_value: string;
  readonly raised_offset: number;
  readonly raised_reason: string;
  readonly recorded_ms: number;
  readonly acknowledged_ms: number | null;
  readonly acknowledged_by: string | null;
  readonly cleared_ms: number | null;
  readonly cleared_value: string | null;
  readonly cleared_reason: string | null;
}

const SHOWN = `id::text AS id, rule_id, kind, severity, sensor_id, aspect, unit, topic, partition, limit_text, ${ms('since')} AS since_ms,
  ${ms('raised_at')} AS raised_ms, raised_value, raised_offset::float8 AS raised_offset, raised_reason, ${ms('recorded_at')} AS recorded_ms,
  ${ms('acknowledged_at')} AS acknowledged_ms, acknowledged_by, ${ms('cleared_at')} AS cleared_ms, cleared_value, cleared_reason`;

/**
 * Alarms, the newest first.
 *
 * @param schema quoted
 * @throws GridError `serving-database-unavailable`, `serving-database-refused`, as the others do
 */
export function listAlarms(
  database: ServingStatements,
  schema: string,
  { state, severity, sensorId, rule, before, limit }: AlarmQuestion,
): Promise<readonly AlarmRow[]> {
  const values: unknown[] = [];
  const bound = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [
    FILTERS[state],
    ...(severity === undefined ? [] : [`severity = ${bound(severity)}`]),
    ...(sensorId === undefined ? [] : [`sensor_id = ${bound(sensorId)}`]),
    ...(rule === undefined ? [] : [`rule_id = ${bound(rule)}`]),
    ...(before === undefined ? [] : [`id < ${bound(before)}::bigint`]),
  ];
  return database.query<AlarmRow>(
    `SELECT ${SHOWN} FROM ${schema}.alarm WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ${bound(limit)}`,
    values,
  );
}

/** How many alarms are open. */
export interface OpenAlarms {
  readonly open: number;
  readonly unacknowledged: number;
  readonly critical: number;
  readonly warning: number;
  readonly info: number;
}

export async function countOpenAlarms(database: ServingStatements, schema: string): Promise<OpenAlarms> {
  const count = (condition: string): string => `count(*) FILTER (WHERE ${condition})::float8`;
  const [row] = await database.query<OpenAlarms>(
    `SELECT count(*)::float8 AS open, ${count('acknowledged_at IS NULL')} AS unacknowledged, ${count(`severity = 'critical'`)} AS critical,
       ${count(`severity = 'warning'`)} AS warning, ${count(`severity = 'info'`)} AS info
     FROM ${schema}.alarm WHERE cleared_reason IS NULL`,
    [],
    'open-alarms',
  );
  return row ?? { open: 0, unacknowledged: 0, critical: 0, warning: 0, info: 0 };
}

/**
 * Notes that somebody has seen an alarm, once; whoever does so again changes nothing. An alarm that was cleared meanwhile may be acknowledged too.
 *
 * @param hasWebhook whether changes are to be delivered to one
 * @returns the alarm as it is now; undefined when there is none
 */
export function acknowledgeAlarm(
  database: ServingDatabase,
  id: string,
  by: string,
  hasWebhook: boolean,
): Promise<AlarmRow | undefined> {
  const { schema } = database;
  return database.inTransaction(`Acknowledging alarm ${id}`, async (transaction) => {
    // Its row is held from here on, so that the numbers of its changes have their order.
    const taken = await transaction.query(
      `UPDATE ${schema}.alarm SET acknowledged_at = now(), acknowledged_by = $2 WHERE id = $1::bigint AND acknowledged_at IS NULL RETURNING id`,
      [id, by],
    );
    if (taken.length > 0) {
      await transaction.query(
        `INSERT INTO ${schema}.alarm_event (alarm_id, topic, partition, change, at, value, reason, webhook_pending)
         SELECT id, topic, partition, 'acknowledged', acknowledged_at, raised_value, 'operator', $2 FROM ${schema}.alarm WHERE id = $1::bigint`,
        [id, hasWebhook],
      );
    }
    const [row] = await transaction.query<AlarmRow>(`SELECT ${SHOWN} FROM ${schema}.alarm WHERE id = $1::bigint`, [id]);
    return row;
  });
}
