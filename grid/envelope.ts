import { isUtf8 } from 'node:buffer';
import type { ErrorCode } from './errors.ts';
import { epochSecondsToMs } from './decimal-text.ts';
import { isJsonButForNotANumber, memberTexts } from './json-text.ts';
import { TEMPORAL_ASPECTS, type Reading, type TemporalAspect } from './reading.ts';

/** Why an envelope was not accepted: a code of the closed list, the field at fault when there is one, a sentence. */
export interface Rejection {
  readonly code: ErrorCode;
  readonly field?: string;
  readonly message: string;
}

export type Decoded =
  | {
      readonly ok: true;
      readonly reading: Reading;
      /** Whether the envelope's text is on one line; known here almost for free. */
      readonly oneLine: boolean;
    }
  | { readonly ok: false; readonly rejection: Rejection };

/** What {@link decodeEnvelope} holds an envelope against. */
export interface DecodeLimits {
  /** A longer envelope is rejected unread. */
  readonly maxBytes: number;
  /** How far event time may lie ahead of the time at which the record was received. */
  readonly maxAheadMs: number;
  /**
   * For what lies in Kafka already: earlier versions, and other producers, put no bounds to `unit` and to the characters of
   * `correlation_id`. What is accepted now is held against them. Default false.
   */
  readonly stored?: boolean;
}

/** 1990-01-01T00:00:00Z: no telemetry of a power grid is older, and clocks that were never set say 1970 or 1980. */
export const EARLIEST_EVENT_TIME_MS = 631_152_000_000;
const SENSOR_ID_MAX_CHARACTERS = 128;
const UNIT_MAX_CHARACTERS = 128;
/** Control characters and separators of lines and paragraphs; halves of surrogate pairs, which cannot be written as UTF-8. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
const KNOWN_SCHEMA_VERSION = 1;

/**
 * The course's format as its producers write it, ASCII throughout. What matches is a valid envelope by construction, so
 * the two JSON parses can be left out; anything else takes the thorough path, which decides alike (a property test
 * holds the two together). Groups: numeric id, text id, modality, unit, aspect, correlation id, created_at. Java reads it alike, so Hive can.
 */
export const CANONICAL_ENVELOPE =
  /\{"payload": ?"\{\\"(?:sensor_id|station_id)\\": ?(?:(0|[1-9]\d{0,37})|\\"([\w.:/+-]{1,128})\\"), ?\\"modality\\": ?(-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?), ?\\"unit\\": ?\\"([\w%/ .^-]{0,64})\\", ?\\"temporal_aspect\\": ?\\"(real_time|edge_prediction)\\"\}", ?"correlation_id": ?"([\w-]{1,128})", ?"created_at": ?([1-9]\d{8,10}(?:\.\d{1,30})?), ?"schema_version": ?1\}/;
const CANONICAL = new RegExp(`^${CANONICAL_ENVELOPE.source}$`);

/**
 * Reads an envelope: the course's format, with the listed variants (payload as a nested object, `station_id` for
 * `sensor_id`, ids that are strings).
 *
 * @param bytes the envelope as UTF-8, or null for a record without a value.
 * @param receivedAtMs when the record was received (for a Kafka record its timestamp, so that a second reading of the
 *   same record decides alike), epoch milliseconds.
 */
export function decodeEnvelope(bytes: Buffer | null, receivedAtMs: number, limits: DecodeLimits): Decoded {
  if (bytes === null || bytes.length === 0) return reject('empty-record', undefined, 'The record has no value.');
  if (bytes.length > limits.maxBytes) {
    return reject(
      'oversized-record',
      undefined,
      `The envelope has ${bytes.length} bytes; at most ${limits.maxBytes} are allowed.`,
    );
  }
  const match = CANONICAL.exec(bytes.toString('latin1'));
  if (match !== null) {
    const [, numericId, textId, modality = '', unit = '', aspect, correlationId = '', createdAt = ''] = match;
    return checkEventTime(
      {
        sensorId: numericId ?? textId ?? '',
        modality,
        unit,
        aspect: aspect as TemporalAspect,
        correlationId,
        createdAt,
        eventTimeMs: plainEpochSecondsToMs(createdAt),
        schemaVersion: KNOWN_SCHEMA_VERSION,
      },
      true,
      receivedAtMs,
      limits,
    );
  }
  return decodeThoroughly(bytes, receivedAtMs, limits);
}

/** The thorough path of {@link decodeEnvelope}, exported for the test that holds both together. */
export function decodeThoroughly(bytes: Buffer, receivedAtMs: number, limits: DecodeLimits): Decoded {
  if (!isUtf8(bytes)) return reject('invalid-encoding', undefined, 'The envelope is not valid UTF-8.');
  const text = bytes.toString('utf8');
  const parsed = parseJson(text, 'malformed-json', 'The envelope');
  if (!parsed.ok) return parsed;
  if (!isObject(parsed.value)) {
    return reject('not-an-envelope', undefined, `The envelope is ${kindOf(parsed.value)}, not a JSON object.`);
  }
  const envelope = parsed.value;
  const envelopeTexts = memberTexts(text);

  const payloadField = envelope['payload'];
  if (payloadField === undefined) return missing('payload');
  let payload: Record<string, unknown>;
  let payloadText: string;
  if (typeof payloadField === 'string') {
    const inner = parseJson(payloadField, 'malformed-payload', 'The payload');
    if (!inner.ok) return inner;
    if (!isObject(inner.value)) return wrongType('payload', 'a JSON object', inner.value);
    payload = inner.value;
    payloadText = payloadField;
  } else if (isObject(payloadField)) {
    payload = payloadField;
    payloadText = envelopeTexts.get('payload') ?? '';
  } else {
    return wrongType('payload', 'a JSON object, or one in a string', payloadField);
  }
  const payloadTexts = memberTexts(payloadText);

  const idField = Object.hasOwn(payload, 'sensor_id') ? 'sensor_id' : 'station_id';
  const sensorId = readSensorId(payload[idField], payloadTexts.get(idField), idField);
  if (!sensorId.ok) return sensorId;
  const modality = readNumber(payload['modality'], payloadTexts.get('modality'), 'modality');
  if (!modality.ok) return modality;

  const unit = payload['unit'];
  if (unit === undefined) return missing('unit');
  if (typeof unit !== 'string') return wrongType('unit', 'a string', unit);
  if (limits.stored !== true && (unit.length > UNIT_MAX_CHARACTERS || NOT_PRINTABLE.test(unit))) {
    return reject(
      'invalid-unit',
      'unit',
      `unit is ${quote(unit)}; it must have at most ${UNIT_MAX_CHARACTERS} characters, all of them printable.`,
    );
  }
  const aspect = payload['temporal_aspect'];
  if (aspect === undefined) return missing('temporal_aspect');
  if (typeof aspect !== 'string') return wrongType('temporal_aspect', 'a string', aspect);
  if (!isTemporalAspect(aspect)) {
    return reject(
      'unknown-aspect',
      'temporal_aspect',
      `temporal_aspect is ${quote(aspect)}; it must be one of: ${TEMPORAL_ASPECTS.join(', ')}.`,
    );
  }

  const correlationId = envelope['correlation_id'];
  if (correlationId === undefined) return missing('correlation_id');
  if (typeof correlationId !== 'string') return wrongType('correlation_id', 'a string', correlationId);
  if (correlationId === '' || correlationId.length > 128) {
    return reject('wrong-type', 'correlation_id', 'correlation_id must have 1 to 128 characters.');
  }
  if (limits.stored !== true && /\p{Cs}/u.test(correlationId)) {
    return reject('wrong-type', 'correlation_id', 'correlation_id holds half a surrogate pair, which is no character.');
  }
  const createdAt = readNumber(envelope['created_at'], envelopeTexts.get('created_at'), 'created_at');
  if (!createdAt.ok) return createdAt;
  const eventTimeMs = epochSecondsToMs(createdAt.text);
  if (eventTimeMs === undefined) {
    return reject('not-a-number', 'created_at', `created_at is ${quote(createdAt.text)}, out of any range.`);
  }

  const schemaVersion = envelope['schema_version'];
  if (schemaVersion === undefined) return missing('schema_version');
  if (typeof schemaVersion !== 'number') return wrongType('schema_version', 'a number', schemaVersion);
  if (schemaVersion !== KNOWN_SCHEMA_VERSION) {
    return reject(
      'unknown-schema-version',
      'schema_version',
      `schema_version is ${schemaVersion}; this version reads only ${KNOWN_SCHEMA_VERSION}.`,
    );
  }
  return checkEventTime(
    {
      sensorId: sensorId.text,
      modality: modality.text,
      unit,
      aspect,
      correlationId,
      createdAt: createdAt.text,
      eventTimeMs,
      schemaVersion,
    },
    !/[\n\r]/.test(text),
    receivedAtMs,
    limits,
  );
}

/** What an envelope is made of; numbers as JSON number text. */
export type EnvelopeFields = Omit<Reading, 'eventTimeMs' | 'schemaVersion'>;

/**
 * Writes an envelope in the course's format, byte for byte as its own producers do (Python's separators inside the payload).
 * An id of decimal digits is written as a number, any other as a string.
 */
export function encodeEnvelope(fields: EnvelopeFields): string {
  const id = /^(?:0|[1-9]\d*)$/.test(fields.sensorId) ? fields.sensorId : JSON.stringify(fields.sensorId);
  const payload = `{"sensor_id": ${id}, "modality": ${fields.modality}, "unit": ${JSON.stringify(fields.unit)}, "temporal_aspect": "${fields.aspect}"}`;
  return `{"payload":${JSON.stringify(payload)},"correlation_id":${JSON.stringify(fields.correlationId)},"created_at":${fields.createdAt},"schema_version":${KNOWN_SCHEMA_VERSION}}`;
}

/** {@link epochSecondsToMs} for what the canonical form allows: 9 to 11 digits, no sign, no exponent. */
function plainEpochSecondsToMs(text: string): number {
  let ms = 0;
  let at = 0;
  for (let code = text.charCodeAt(0); code !== POINT && at < text.length; code = text.charCodeAt(++at)) {
    ms = ms * 10 + (code - ZERO);
  }
  for (let digit = 1; digit <= 3; digit++) {
    const code = text.charCodeAt(at + digit);
    // Behind the end there is NaN.
    ms = ms * 10 + (code >= ZERO ? code - ZERO : 0);
  }
  return ms;
}

const POINT = 0x2e;
const ZERO = 0x30;

function checkEventTime(reading: Reading, oneLine: boolean, receivedAtMs: number, limits: DecodeLimits): Decoded {
  if (reading.eventTimeMs < EARLIEST_EVENT_TIME_MS) {
    return reject(
      'event-time-too-old',
      'created_at',
      `created_at is ${reading.createdAt}, before 1990-01-01; it must be in epoch seconds.`,
    );
  }
  if (reading.eventTimeMs > receivedAtMs + limits.maxAheadMs) {
    return reject(
      'event-time-too-far-ahead',
      'created_at',
      `created_at is ${reading.createdAt}, more than ${limits.maxAheadMs / 1_000} s ahead of ${receivedAtMs / 1_000}, when it was received; it must be in epoch seconds.`,
    );
  }
  return { ok: true, reading, oneLine };
}

type TextRead = { readonly ok: true; readonly text: string } | (Decoded & { readonly ok: false });

function readSensorId(value: unknown, text: string | undefined, field: string): TextRead {
  if (value === undefined) return missing('sensor_id');
  if (typeof value === 'number') {
    if (text === undefined || !/^(?:0|[1-9]\d{0,37})$/.test(text)) {
      return reject(
        'invalid-sensor-id',
        field,
        `${field} is ${quote(text ?? '')}; a number must be a whole one from 0 on.`,
      );
    }
    return { ok: true, text };
  }
  if (typeof value !== 'string') return wrongType(field, 'a whole number or a string', value);
  // Control characters and outer white space make ids that look alike but are not.
  if (value === '' || value.length > SENSOR_ID_MAX_CHARACTERS || value.trim() !== value || NOT_PRINTABLE.test(value)) {
    return reject(
      'invalid-sensor-id',
      field,
      `${field} is ${quote(value)}; it must have 1 to ${SENSOR_ID_MAX_CHARACTERS} printable characters and no white space around them.`,
    );
  }
  return { ok: true, text: value };
}

function readNumber(value: unknown, text: string | undefined, field: string): TextRead {
  if (value === undefined || text === undefined) return missing(field);
  if (typeof value === 'string' && /^[+-]?(?:nan|inf|infinity)$/i.test(value.trim())) {
    return reject('not-a-number', field, `${field} is ${quote(value)}; it must be a finite number.`);
  }
  if (typeof value !== 'number') return wrongType(field, 'a number', value);
  if (!Number.isFinite(value)) {
    return reject('not-a-number', field, `${field} is ${quote(text)}, beyond what a double can hold.`);
  }
  return { ok: true, text };
}

type Parsed = { readonly ok: true; readonly value: unknown } | (Decoded & { readonly ok: false });

function parseJson(text: string, code: ErrorCode, what: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    if (isJsonButForNotANumber(text)) {
      return reject('not-a-number', undefined, `${what} holds NaN or Infinity, which are no JSON numbers.`);
    }
    return reject(
      code,
      undefined,
      `${what} is not valid JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function reject(code: ErrorCode, field: string | undefined, message: string): Decoded & { readonly ok: false } {
  return { ok: false, rejection: field === undefined ? { code, message } : { code, field, message } };
}

const missing = (field: string) => reject('missing-field', field, `${field} is missing.`);

const wrongType = (field: string, expected: string, value: unknown) =>
  reject('wrong-type', field, `${field} is ${kindOf(value)}; it must be ${expected}.`);

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A value as it stands in a message: quoted and cut. */
function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTemporalAspect(text: string): text is TemporalAspect {
  return (TEMPORAL_ASPECTS as readonly string[]).includes(text);
}
