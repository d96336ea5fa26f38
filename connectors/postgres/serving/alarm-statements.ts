const moment = (parameter: string): string => `to_timestamp(${parameter}::float8 / 1000)`;
export const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;

const SERIES = `sensor_id, aspect, unit`;

/** The statements of the alarms sink, for a quoted schema. $1 and $2 are topic and partition throughout; moments are epoch milliseconds. */
export function alarmStatements(schema: string) {
  const ofPartition = 'topic = $1 AND partition = $2';
  const isOpen = 'cleared_reason IS NULL';
  const raised = `id::text AS id, rule_id, kind, severity, limit_text, ${SERIES}, ${ms('since')} AS since_ms,
    ${ms('raised_at')} AS raised_ms, raised_value, raised_offset::float8 AS raised_offset`;
  return {
    makePosition: `INSERT INTO ${schema}.alarm_position (topic, partition, next_offset, state_offset) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING`,
    position: `SELECT next_offset::float8 AS next_offset, state_offset::float8 AS state_offset, change_number::float8 AS change_number
      FROM ${schema}.alarm_position WHERE ${ofPartition}`,
    /** Compare-and-swap: $3 and $4 are the offset and the number of the last change that are expected. */
    move: `UPDATE ${schema}.alarm_position SET change_number = change_number + 1, next_offset = $5, state_offset = $6, updated_at = now()
      WHERE ${ofPartition} AND next_offset = $3 AND change_number = $4 RETURNING 1 AS moved`,
    facts: `SELECT s.sensor_id, s.aspect, s.unit, s.facts FROM ${schema}.alarm_series s
      JOIN unnest($3::text[], $4::text[], $5::text[]) AS n (${SERIES}) USING (${SERIES}) WHERE s.topic = $1 AND s.partition = $2`,
    openOf: `SELECT ${raised} FROM ${schema}.alarm
      JOIN unnest($3::text[], $4::text[], $5::text[]) AS n (${SERIES}) USING (${SERIES}) WHERE ${ofPartition} AND ${isOpen}`,
    /** Open alarms behind $3, by id: at most $4. */
    openAlarms: `SELECT ${raised} FROM ${schema}.alarm WHERE ${ofPartition} AND ${isOpen} AND id > $3::bigint ORDER BY id LIMIT $4`,
    /** Series that a rule calls stale at $3, if nothing newer has come: at most $4. */
    quiet: `SELECT ${SERIES} FROM ${schema}.alarm_series WHERE ${ofPartition} AND quiet_at <= ${moment('$3')} ORDER BY quiet_at LIMIT $4`,
    save: `INSERT INTO ${schema}.alarm_series (topic, partition, ${SERIES}, facts, quiet_at)
      SELECT $1, $2, d.sensor_id, d.aspect, d.unit, d.facts, ${moment('d.quiet_ms')}
      FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::float8[]) AS d (${SERIES}, facts, quiet_ms)
      ON CONFLICT (topic, partition, ${SERIES}) DO UPDATE SET facts = excluded.facts, quiet_at = excluded.quiet_at`,
    /** $3: the name of the table. */
    newIds: `SELECT nextval(pg_get_serial_sequence($1, 'id'))::text AS id FROM generate_series(1, $2::int)`,
    clear: `UPDATE ${schema}.alarm a SET cleared_at = ${moment('d.at_ms')}, cleared_value = d.value, cleared_offset = d.record_offset,
        cleared_reason = d.reason, clearing_recorded_at = now()
      FROM unnest($1::bigint[], $2::float8[], $3::text[], $4::bigint[], $5::text[]) AS d (id, at_ms, value, record_offset, reason)
      WHERE a.id = d.id AND a.${isOpen}`,
    raise: `INSERT INTO ${schema}.alarm (topic, partition, id, rule_id, kind, severity, ${SERIES}, limit_text, since, raised_at, raised_value,
        raised_offset, raised_reason, cleared_at, cleared_value, cleared_offset, cleared_reason, clearing_recorded_at)
      SELECT $1, $2, d.id, d.rule_id, d.kind, d.severity, d.sensor_id, d.aspect, d.unit, d.limit_text, ${moment('d.since_ms')},
        ${moment('d.at_ms')}, d.value, d.record_offset, d.reason, ${moment('d.cleared_ms')}, d.cleared_value, d.cleared_offset, d.cleared_reason,
        CASE WHEN d.cleared_reason IS NULL THEN NULL ELSE now() END
      FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[],
        $12::float8[], $13::text[], $14::bigint[], $15::text[], $16::float8[], $17::text[], $18::bigint[], $19::text[])
        AS d (id, rule_id, kind, severity, ${SERIES}, limit_text, since_ms, at_ms, value, record_offset, reason, cleared_ms, cleared_value,
          cleared_offset, cleared_reason)`,
    /** Changes in their order, so that those of one alarm have rising numbers. $3: whether there is a webhook. */
    addEvents: `INSERT INTO ${schema}.alarm_event (topic, partition, webhook_pending, alarm_id, change, at, value, reason, record_offset, appended_at)
      SELECT $1, $2, $3, d.alarm_id, d.change, ${moment('d.at_ms')}, d.value, d.reason, d.record_offset, ${moment('d.appended_ms')}
      FROM unnest($4::bigint[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::bigint[], $10::float8[])
        WITH ORDINALITY AS d (alarm_id, change, at_ms, value, reason, record_offset, appended_ms, place) ORDER BY d.place`,
    openCounts: `SELECT rule_id, severity, count(*)::float8 AS count FROM ${schema}.alarm WHERE ${ofPartition} AND ${isOpen} GROUP BY rule_id, severity`,
    pending: (
      column: 'topic_pending' | 'webhook_pending',
    ) => `SELECT e.id::text AS event_id, e.alarm_id::text AS alarm_id, e.change, a.rule_id, a.kind, a.severity,
        a.sensor_id, a.aspect, a.unit, a.limit_text, ${ms('a.since')} AS since_ms, ${ms('a.raised_at')} AS raised_ms, ${ms('e.at')} AS at_ms, e.value, e.reason,
        e.record_offset::float8 AS record_offset, ${ms('e.appended_at')} AS appended_ms, ${ms('e.recorded_at')} AS recorded_ms,
        CASE WHEN e.change = 'acknowledged' THEN a.acknowledged_by END AS acknowledged_by
      FROM ${schema}.alarm_event e JOIN ${schema}.alarm a ON a.id = e.alarm_id
      WHERE e.topic = $1 AND e.partition = $2 AND e.${column} ORDER BY e.id LIMIT $3`,
    settle: (column: 'topic_pending' | 'webhook_pending') =>
      `UPDATE ${schema}.alarm_event SET ${column} = false WHERE id = ANY($1::bigint[])`,
    /** Cleared alarms with their changes, all delivered, that were cleared before $3: at most $4. */
    forget: `DELETE FROM ${schema}.alarm WHERE id = ANY(ARRAY(
        SELECT a.id FROM ${schema}.alarm a WHERE ${ofPartition} AND clearing_recorded_at < ${moment('$3')}
          AND NOT EXISTS (SELECT FROM ${schema}.alarm_event e WHERE e.alarm_id = a.id AND (e.topic_pending OR e.webhook_pending)) LIMIT $4))`,
  };
}

export type AlarmStatements = ReturnType<typeof alarmStatements>;

/** A change of an alarm that is to be delivered. */
export interface AlarmEventRow {
  readonly event_id: string;
  readonly alarm_id: string;
  readonly change: string;
  readonly rule_id: string;
  readonly kind: string;
  readonly severity: string;
  readonly sensor_id: string;
  readonly aspect: string;
  readonly unit: string;
  readonly limit_text: string;
  readonly since_ms: number;
  readonly raised_ms: number;
  readonly at_ms: number;
  readonly value: string;
  readonly reason: string;
  readonly record_offset: number | null;
  readonly appended_ms: number | null;
  readonly recorded_ms: number;
  readonly acknowledged_by: string | null;
}
