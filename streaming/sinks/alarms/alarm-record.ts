import type { AlarmEventRow } from '../../../connectors/postgres/serving/alarm-statements.ts';
import type { AlarmPartition } from '../../../connectors/postgres/serving/alarm-store.ts';

/**
 * What topic and webhook are sent of a change of an alarm, as JSON. It may come again: then it has the same `event_id`. The changes of an alarm have rising ones.
 */
export function alarmRecord(row: AlarmEventRow, { topic, partition }: AlarmPartition): string {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return JSON.stringify({
    schema_version: 1,
    event_id: Number(row.event_id),
    alarm_id: Number(row.alarm_id),
    change: row.change,
    reason: row.reason,
    rule: row.rule_id,
    kind: row.kind,
    severity: row.severity,
    sensor_id: row.sensor_id,
    aspect: row.aspect,
    unit: row.unit,
    since: iso(row.since_ms),
    raised_at: iso(row.raised_ms),
    at: iso(row.at_ms),
    value: row.value,
    limit: row.limit_text,
    acknowledged_by: row.acknowledged_by,
    source: row.record_offset === null ? null : { topic, partition, offset: row.record_offset },
    recorded_at: iso(row.recorded_ms),
  });
}
