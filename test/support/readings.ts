import { randomUUID } from 'node:crypto';
import { encodeEnvelope, type EnvelopeFields } from '../../grid/envelope.ts';

/** An envelope for a test: valid, unique, of the present unless told otherwise. */
export function makeEnvelope(fields: Partial<EnvelopeFields> = {}): string {
  return encodeEnvelope({
    sensorId: '6',
    modality: '421.50',
    unit: 'MW',
    aspect: 'real_time',
    correlationId: randomUUID(),
    createdAt: (Date.now() / 1_000).toFixed(6),
    ...fields,
  });
}
