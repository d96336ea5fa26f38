import { Decimal128, Double } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../../grid/envelope.ts';
import { envelopeDocument } from './envelope-document.ts';

const PAYLOAD = '{"sensor_id": 6, "modality": 421.10, "unit": "MW", "temporal_aspect": "real_time"}';
const LIMITS = { maxBytes: 65_536, maxAheadMs: 3_600_000, stored: true };

function documentOf(text: string): Readonly<Record<string, unknown>> {
  const value = Buffer.from(text);
  const decoded = decodeEnvelope(value, 1_700_000_000_000, LIMITS);
  if (!decoded.ok) throw new Error(decoded.rejection.message);
  return envelopeDocument('INGESTION+0+7', value, decoded.reading);
}

const envelope = (fields: string, payload = JSON.stringify(PAYLOAD), createdAt = '1694902173.122458') =>
  `{"payload":${payload},"correlation_id":"c-1","created_at":${createdAt},"schema_version":1${fields}}`;

describe('the document of an envelope', () => {
  test('has its fields at top level, the payload as the original string', () => {
    expect(documentOf(envelope(''))).toEqual({
      _id: 'INGESTION+0+7',
      payload: PAYLOAD,
      correlation_id: 'c-1',
      created_at: new Double(1694902173.122458),
      schema_version: 1,
    });
  });

  test('is found by the prefix of its payload', () => {
    expect(documentOf(envelope(''))['payload']).toMatch(/^\{"sensor_id": 6/);
  });

  test('has a nested payload as its very text', () => {
    expect(documentOf(envelope('', PAYLOAD))['payload']).toBe(PAYLOAD);
  });

  test('keeps an event time that no double can hold', () => {
    const createdAt = '1694902173.12245800000000001';
    expect(documentOf(envelope('', undefined, createdAt))['created_at']).toEqual(Decimal128.fromString(createdAt));
  });

  test('keeps extra fields, their numbers exact', () => {
    const document = documentOf(
      envelope(',"site":{"name":"Nord","height":12.50,"tags":["a",1]},"serial":9007199254740993'),
    );
    expect(document['site']).toEqual({ name: 'Nord', height: Decimal128.fromString('12.50'), tags: ['a', 1] });
    expect(document['serial']).toEqual(Decimal128.fromString('9007199254740993'));
    expect(document).not.toHaveProperty('_raw');
  });
});

describe('what MongoDB cannot hold as a field', () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  test.each([
    ['its own _id', ',"_id":"mine"'],
    ['the name of the raw text', ',"_raw":1'],
    ['an empty name', ',"":1'],
    ['a name with a dollar', ',"$set":{"a":1}'],
    ['a name with a dot', ',"a.b":1'],
    ['a name with NUL', ',"a\\u0000b":1'],
    ['a name that would change the prototype', ',"__proto__":{"polluted":true}'],
    ['such a name further down', ',"extra":{"deep":[{"$where":"1"}]}'],
    ['a name given twice with two values', ',"extra":{"a":1,"a":2}'],
    ['too many levels', `,"extra":${deep}`],
    ['half a surrogate pair', ',"extra":"\\ud800"'],
  ])('is left out, and the whole envelope kept as text: %s', (_what, fields) => {
    const text = envelope(`,"good":1${fields}`);
    const document = documentOf(text);
    expect(document).toEqual({
      _id: 'INGESTION+0+7',
      payload: PAYLOAD,
      correlation_id: 'c-1',
      created_at: new Double(1694902173.122458),
      schema_version: 1,
      good: 1,
      _raw: text,
    });
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
  });

  test('half a surrogate pair in the payload is kept in the raw text', () => {
    const text = envelope('', JSON.stringify(PAYLOAD).replace('MW', '\\ud800'));
    expect(documentOf(text)['_raw']).toBe(text);
  });
});
