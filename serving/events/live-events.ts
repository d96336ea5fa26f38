import { z } from 'zod';
import type { ConsumedRecord } from '../../connectors/kafka/consume/consumed.ts';
import type { Reading } from '../../grid/reading.ts';
import { decodeEnvelope } from '../../grid/envelope.ts';
import type { LiveEvent } from './event-table.ts';

/** Readings are shown as the sinks take them; what a source may send was judged before. */
const LIMITS = { maxBytes: 8 << 20, maxAheadMs: Number.MAX_SAFE_INTEGER, stored: true } as const;
/** What of a record of windows tells which window it is of, and of which part of its readings. */
const windowRecord = z.object({
  sensor_id: z.string(),
  aspect: z.string(),
  unit: z.string(),
  resolution: z.string(),
  window_start: z.string(),
  revision: z.number(),
  source: z.object({ topic: z.string(), partition: z.number(), first_offset: z.number() }),
});
const MOST_WINDOW_BYTES = 64 * 1_024;
/** What of a record of alarms tells which alarm it is of, and which of its changes came last. */
const alarmRecord = z.object({ sensor_id: z.string(), alarm_id: z.number(), event_id: z.number() });

/** The newest value that a record of readings is; undefined for one that cannot be read. */
export function readingEvent(topic: string, partition: number, record: ConsumedRecord): LiveEvent | undefined {
  const decoded = decodeEnvelope(record.value, record.timestampMs, LIMITS);
  if (!decoded.ok) return undefined;
  const { reading } = decoded;
  return {
    kind: 'reading',
    key: keyOf(reading),
    sensorId: reading.sensorId,
    rank: reading.eventTimeMs,
    data: JSON.stringify({
      sensorId: reading.sensorId,
      aspect: reading.aspect,
      unit: reading.unit,
      value: reading.modality,
      createdAt: reading.createdAt,
      at: new Date(reading.eventTimeMs).toISOString(),
      receivedAt: new Date(record.timestampMs).toISOString(),
      correlationId: reading.correlationId,
      ...{ topic, partition, offset: record.offset },
    }),
  };
}

/** The state of a window that a record of the topic of windows is; undefined for one that cannot be read. */
export function windowEvent(record: ConsumedRecord): LiveEvent | undefined {
  const value = jsonOf(record);
  const parsed = windowRecord.safeParse(value);
  if (!parsed.success) return undefined;
  const { sensor_id: sensorId, aspect, unit, resolution, window_start: start, revision, source } = parsed.data;
  const part = [sensorId, aspect, unit, resolution, start, source.topic, source.partition, source.first_offset];
  return {
    kind: 'window',
    key: `w${JSON.stringify(part)}`,
    sensorId,
    // A revision may come again.
    rank: revision,
    // Written anew: on one line whatever it was.
    data: JSON.stringify(value),
  };
}

/** The change of an alarm that a record of the topic of alarms is; undefined for one that cannot be read. */
export function alarmEvent(record: ConsumedRecord): LiveEvent | undefined {
  const value = jsonOf(record);
  const parsed = alarmRecord.safeParse(value);
  if (!parsed.success) return undefined;
  const { sensor_id: sensorId, alarm_id: alarm, event_id: rank } = parsed.data;
  return { kind: 'alarm', key: `a${alarm}`, sensorId, rank, data: JSON.stringify(value) };
}

function jsonOf({ value }: ConsumedRecord): unknown {
  if (value === null || value.length > MOST_WINDOW_BYTES) return undefined;
  try {
    return JSON.parse(value.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function keyOf({ sensorId, aspect, unit }: Reading): string {
  return `r${JSON.stringify([sensorId, aspect, unit])}`;
}
