import { encodeEnvelope, type EnvelopeFields } from '../../../grid/envelope.ts';
import type { ErrorCode } from '../../../grid/errors.ts';

/** A way in which sources get an envelope wrong, and the code with which it must be rejected. */
interface Mistake {
  readonly code: ErrorCode;
  readonly make: (fields: EnvelopeFields, random: number) => string | Buffer;
}

/** Kafka's default limit for a message is 1 MB: a larger envelope would not even come into the topic. */
const LARGEST_SENT_BYTES = 900_000;

const mistakes: readonly Mistake[] = [
  { code: 'empty-record', make: () => '' },
  {
    code: 'invalid-encoding',
    // Latin-1's µ amid UTF-8.
    make: (fields) => Buffer.from(encodeEnvelope({ ...fields, unit: '\u00b5A' }), 'latin1'),
  },
  {
    code: 'malformed-json',
    make: (fields, random) => {
      const text = encodeEnvelope(fields);
      return text.slice(0, 1 + Math.floor(random * (text.length - 1)));
    },
  },
  {
    code: 'not-an-envelope',
    make: (fields, random) => (random < 0.5 ? `[${fields.sensorId}, ${fields.modality}]` : '"sensor offline"'),
  },
  {
    code: 'malformed-payload',
    make: (fields) => withPayload(fields, `{"sensor_id": ${fields.sensorId}, "modality": `),
  },
  {
    code: 'missing-field',
    make: (fields, random) =>
      random < 0.5
        ? encodeEnvelope(fields).replace(/"correlation_id":"[^"]*",/, '')
        : encodeEnvelope(fields).replace(`\\"modality\\": ${fields.modality}, `, ''),
  },
  {
    code: 'wrong-type',
    make: (fields, random) =>
      random < 0.5
        ? encodeEnvelope({ ...fields, modality: `"${fields.modality}"` })
        : encodeEnvelope({ ...fields, createdAt: `"${new Date(Number(fields.createdAt) * 1_000).toISOString()}"` }),
  },
  { code: 'not-a-number', make: (fields) => encodeEnvelope({ ...fields, modality: 'NaN' }) },
  {
    code: 'invalid-sensor-id',
    make: (fields, random) =>
      encodeEnvelope(fields).replace(
        `\\"sensor_id\\": ${fields.sensorId},`,
        `\\"sensor_id\\": ${random < 0.5 ? '-1' : '\\"\\"'},`,
      ),
  },
  {
    code: 'unknown-aspect',
    make: (fields) => encodeEnvelope(fields).replace(`\\"${fields.aspect}\\"`, '\\"forecast\\"'),
  },
  {
    code: 'unknown-schema-version',
    make: (fields) => encodeEnvelope(fields).replace('"schema_version":1', '"schema_version":2'),
  },
  {
    // A device whose clock was never set counts from 1970 or 1980.
    code: 'event-time-too-old',
    make: (fields, random) => encodeEnvelope({ ...fields, createdAt: (315_532_800 + random * 86_400).toFixed(3) }),
  },
  {
    // Milliseconds where seconds belong.
    code: 'event-time-too-far-ahead',
    make: (fields) => encodeEnvelope({ ...fields, createdAt: `${fields.createdAt.split('.')[0] ?? ''}000` }),
  },
];

/** Of so many malformed records one is oversized: at equal shares they would make up nearly all bytes. */
const OVERSIZED_EVERY = 256;

/** A malformed record and what is wrong with it. */
export interface Malformed {
  readonly code: ErrorCode;
  readonly value: string | Buffer;
}

/**
 * Spoils a reading in one of the ways that the gateway and the router must reject, one for each of their codes.
 *
 * @param maxEnvelopeBytes the limit that an oversized one has to pass.
 * @param choice which way, and `detail` how exactly: random numbers in [0, 1).
 */
export function makeMalformed(
  fields: EnvelopeFields,
  maxEnvelopeBytes: number,
  choice: number,
  detail: number,
): Malformed {
  if (choice < 1 / OVERSIZED_EVERY && maxEnvelopeBytes < LARGEST_SENT_BYTES) {
    return { code: 'oversized-record', value: encodeEnvelope({ ...fields, unit: 'W'.repeat(maxEnvelopeBytes) }) };
  }
  const mistake = mistakes[Math.floor(choice * mistakes.length)] ?? { code: 'empty-record', make: () => '' };
  return { code: mistake.code, value: mistake.make(fields, detail) };
}

function withPayload(fields: EnvelopeFields, payload: string): string {
  const envelope = encodeEnvelope(fields);
  return `{"payload":${JSON.stringify(payload)}${envelope.slice(envelope.indexOf(',"correlation_id"'))}`;
}
