import { v5 as uuidOf } from 'uuid';
import { decodeEnvelope, encodeEnvelope, type DecodeLimits } from '../../grid/envelope.ts';
import { isPhysical } from '../../grid/legacy/physical-range.ts';
import type { LegacyReading } from './telemetry-lines.ts';

/** Name space of the correlation ids of replayed readings; never to be changed, or replays would double what was sent. */
const NAMESPACE = '0f6a2f4c-6a0e-4b52-9d0b-7b1f5b1c8f5e';

export type CheckedReading =
  | { readonly ok: true; readonly envelope: string; readonly eventTimeMs: number }
  /** @property code an error code, or `not-physical` */
  | { readonly ok: false; readonly code: string; readonly detail: string };

/**
 * A legacy reading as an envelope, when it can be true: held against the same rules as live ones, and against what its unit allows. Its correlation
 * id is made of the content's hash, row and column, so it is the same in every replay.
 */
export function checkReading(
  content: string,
  { row, column, sensorId, eventTime, value, unit, aspect }: LegacyReading,
  nowMs: number,
  limits: DecodeLimits,
): CheckedReading {
  const envelope = encodeEnvelope({
    sensorId,
    modality: value,
    unit,
    aspect,
    correlationId: uuidOf(`${content}\n${row}\n${column}`, NAMESPACE),
    createdAt: eventTime,
  });
  const decoded = decodeEnvelope(Buffer.from(envelope), nowMs, limits);
  if (!decoded.ok) return { ok: false, code: decoded.rejection.code, detail: decoded.rejection.message };
  if (!isPhysical(Number(value), unit)) {
    return { ok: false, code: 'not-physical', detail: `${value} ${unit} of sensor ${sensorId} cannot be` };
  }
  return { ok: true, envelope, eventTimeMs: decoded.reading.eventTimeMs };
}
