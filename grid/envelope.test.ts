import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, decodeThoroughly, encodeEnvelope, type Decoded, type DecodeLimits } from './envelope.ts';

const limits: DecodeLimits = { maxBytes: 65_536, maxAheadMs: 3_600_000 };
const RECEIVED_AT_MS = Date.UTC(2026, 0, 1);
const COURSE =
  '{"payload":"{\\"sensor_id\\": 6, \\"modality\\": 421, \\"unit\\": \\"MW\\", \\"temporal_aspect\\": \\"real_time\\"}","correlation_id":"0b8f3f3e-6f0e-4b4c-9d0e-2d6a7c1b2a3f","created_at":1694902173.122458,"schema_version":1}';

const decode = (text: string | Buffer): Decoded =>
  decodeEnvelope(typeof text === 'string' ? Buffer.from(text) : text, RECEIVED_AT_MS, limits);

/** The course's envelope with parts replaced; a part is raw JSON text. */
function envelope(parts: {
  payload?: Record<string, string | undefined>;
  outer?: Record<string, string | undefined>;
}): string {
  const join = (members: Record<string, string | undefined>): string =>
    `{${Object.entries(members)
      .filter(([, text]) => text !== undefined)
      .map(([name, text]) => `"${name}":${text ?? ''}`)
      .join(',')}}`;
  const payload = join({
    sensor_id: '6',
    modality: '421',
    unit: '"MW"',
    temporal_aspect: '"real_time"',
    ...parts.payload,
  });
  return join({
    payload: JSON.stringify(payload),
    correlation_id: '"c-1"',
    created_at: '1694902173.122458',
    schema_version: '1',
    ...parts.outer,
  });
}

describe('decodeEnvelope', () => {
  it('reads the course format', () => {
    expect(decode(COURSE)).toEqual({
      ok: true,
      reading: {
        sensorId: '6',
        modality: '421',
        unit: 'MW',
        aspect: 'real_time',
        correlationId: '0b8f3f3e-6f0e-4b4c-9d0e-2d6a7c1b2a3f',
        createdAt: '1694902173.122458',
        eventTimeMs: 1_694_902_173_122,
        schemaVersion: 1,
      },
      oneLine: true,
    });
  });

  it.each([
    [
      'the payload as a nested object',
      envelope({ outer: { payload: '{"sensor_id":6,"modality":421,"unit":"MW","temporal_aspect":"real_time"}' } }),
    ],
    ['station_id for sensor_id', envelope({ payload: { sensor_id: undefined, station_id: '6' } })],
    ['an id that is a string', envelope({ payload: { sensor_id: '"6"' } })],
    [
      'white space and line breaks between tokens',
      `\n ${envelope({ outer: { payload: '{"sensor_id":6,"modality":421,"unit":"MW","temporal_aspect":"real_time"}' } }).replaceAll(',', ' ,\r\n ')} \t`,
    ],
    ['further members', envelope({ payload: { quality: '{"flag":[1,"}"]}' }, outer: { source: '"edge"' } })],
    [
      'members in another order',
      '{"schema_version":1,"created_at":1694902173.122458,"correlation_id":"c-1","payload":{"unit":"MW","temporal_aspect":"real_time","modality":421,"sensor_id":6}}',
    ],
    ['escaped member names', envelope({}).replace('correlation_id', 'correl\\u0061tion_id')],
  ])('reads %s', (_what, text) => {
    const decoded = decode(text);
    expect(decoded.ok && [decoded.reading.sensorId, decoded.reading.modality, decoded.reading.createdAt]).toEqual([
      '6',
      '421',
      '1694902173.122458',
    ]);
  });

  it.each(['230.10', '-0.0', '1E3', '12345678901234567890.123456789', '1e-7'])(
    'keeps the number %s as it was written',
    (text) => {
      const decoded = decode(envelope({ payload: { modality: text } }));
      expect(decoded.ok && decoded.reading.modality).toBe(text);
    },
  );

  it.each([
    ['\n', false],
    ['\r', false],
    [' ', true],
    ['\t', true],
  ])('tells whether an envelope with %j between its tokens is on one line', (between, oneLine) => {
    expect(decode(envelope({}).replaceAll(',"c', `,${between}"c`))).toMatchObject({ ok: true, oneLine });
  });

  it('takes the last of equal members, as JSON.parse does', () => {
    const decoded = decode(
      '{"created_at":1694902173,"created_at":1694902174.50,' + envelope({ outer: { created_at: undefined } }).slice(1),
    );
    expect(decoded.ok && decoded.reading.createdAt).toBe('1694902174.50');
  });

  const far = String(RECEIVED_AT_MS / 1_000 + 3_601);
  it.each<[string, string | Buffer, string, string | undefined]>([
    ['no bytes', '', 'empty-record', undefined],
    ['text that is not JSON', 'sensor 6: 421 MW', 'malformed-json', undefined],
    ['JSON that is cut off', COURSE.slice(0, -2), 'malformed-json', undefined],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid-encoding', undefined],
    ['a number', '42', 'not-an-envelope', undefined],
    ['an array', '[]', 'not-an-envelope', undefined],
    ['null', 'null', 'not-an-envelope', undefined],
    ['no payload', envelope({ outer: { payload: undefined } }), 'missing-field', 'payload'],
    ['a payload that is a number', envelope({ outer: { payload: '5' } }), 'wrong-type', 'payload'],
    ['a payload that is null', envelope({ outer: { payload: 'null' } }), 'wrong-type', 'payload'],
    ['a payload that is no JSON', envelope({ outer: { payload: '"{sensor: 6}"' } }), 'malformed-payload', undefined],
    ['a payload string that is no object', envelope({ outer: { payload: '"[6]"' } }), 'wrong-type', 'payload'],
    ['no sensor id', envelope({ payload: { sensor_id: undefined } }), 'missing-field', 'sensor_id'],
    ['a fractional sensor id', envelope({ payload: { sensor_id: '6.5' } }), 'invalid-sensor-id', 'sensor_id'],
    ['a negative sensor id', envelope({ payload: { sensor_id: '-6' } }), 'invalid-sensor-id', 'sensor_id'],
    ['an empty sensor id', envelope({ payload: { sensor_id: '""' } }), 'invalid-sensor-id', 'sensor_id'],
    [
      'a sensor id with a control character',
      envelope({ payload: { sensor_id: '"a\\u0001"' } }),
      'invalid-sensor-id',
      'sensor_id',
    ],
    [
      'a sensor id with a lone surrogate',
      envelope({ payload: { sensor_id: '"\\ud800"' } }),
      'invalid-sensor-id',
      'sensor_id',
    ],
    ['a sensor id that is an object', envelope({ payload: { sensor_id: '{}' } }), 'wrong-type', 'sensor_id'],
    ['a value that is text', envelope({ payload: { modality: '"421"' } }), 'wrong-type', 'modality'],
    ['a value that is null', envelope({ payload: { modality: 'null' } }), 'wrong-type', 'modality'],
    ['no value', envelope({ payload: { modality: undefined } }), 'missing-field', 'modality'],
    ['a bare NaN', envelope({ payload: { modality: 'NaN' } }), 'not-a-number', undefined],
    ['a bare -Infinity', envelope({ payload: { modality: '-Infinity' } }), 'not-a-number', undefined],
    ['NaN as text', envelope({ payload: { modality: '"NaN"' } }), 'not-a-number', 'modality'],
    ['a value beyond a double', envelope({ payload: { modality: '1e999' } }), 'not-a-number', 'modality'],
    ['no unit', envelope({ payload: { unit: undefined } }), 'missing-field', 'unit'],
    ['a unit that is a number', envelope({ payload: { unit: '7' } }), 'wrong-type', 'unit'],
    [
      'an unknown aspect',
      envelope({ payload: { temporal_aspect: '"tomorrow"' } }),
      'unknown-aspect',
      'temporal_aspect',
    ],
    ['no correlation id', envelope({ outer: { correlation_id: undefined } }), 'missing-field', 'correlation_id'],
    ['no event time', envelope({ outer: { created_at: undefined } }), 'missing-field', 'created_at'],
    ['an event time that is text', envelope({ outer: { created_at: '"2023-09-16"' } }), 'wrong-type', 'created_at'],
    [
      'an event time before 1990',
      envelope({ outer: { created_at: '631151999.999' } }),
      'event-time-too-old',
      'created_at',
    ],
    ['a negative event time', envelope({ outer: { created_at: '-5' } }), 'event-time-too-old', 'created_at'],
    ['an event time too far ahead', envelope({ outer: { created_at: far } }), 'event-time-too-far-ahead', 'created_at'],
    [
      'an event time in milliseconds',
      envelope({ outer: { created_at: '1694902173122' } }),
      'event-time-too-far-ahead',
      'created_at',
    ],
    [
      'an unknown schema version',
      envelope({ outer: { schema_version: '2' } }),
      'unknown-schema-version',
      'schema_version',
    ],
    ['no schema version', envelope({ outer: { schema_version: undefined } }), 'missing-field', 'schema_version'],
    ['more bytes than allowed', Buffer.alloc(65_537, 0x20), 'oversized-record', undefined],
  ])('rejects %s', (_what, bytes, code, field) => {
    const decoded = decode(bytes);
    expect(decoded).toMatchObject({ ok: false, rejection: field === undefined ? { code } : { code, field } });
    expect(!decoded.ok && decoded.rejection.message.length).toBeGreaterThan(10);
  });

  it('rejects a record without a value', () => {
    expect(decodeEnvelope(null, RECEIVED_AT_MS, limits)).toMatchObject({
      ok: false,
      rejection: { code: 'empty-record' },
    });
  });

  it.each<[string, string, string, string]>([
    [
      'a unit of 129 characters',
      envelope({ payload: { unit: JSON.stringify('u'.repeat(129)) } }),
      'invalid-unit',
      'unit',
    ],
    ['a unit with half a surrogate pair', envelope({ payload: { unit: '"\\ud800"' } }), 'invalid-unit', 'unit'],
    ['a unit with a NUL', envelope({ payload: { unit: '"M\\u0000W"' } }), 'invalid-unit', 'unit'],
    [
      'a correlation id with half a surrogate pair',
      envelope({ outer: { correlation_id: '"c\\udc00"' } }),
      'wrong-type',
      'correlation_id',
    ],
  ])('does not accept %s, but reads it where it lies in Kafka already', (_what, text, code, field) => {
    expect(decode(text)).toMatchObject({ ok: false, rejection: { code, field } });
    expect(decodeEnvelope(Buffer.from(text), RECEIVED_AT_MS, { ...limits, stored: true }).ok).toBe(true);
  });

  it.each(['u'.repeat(128), 'm³/h', '😀', ' '])('accepts the unit %j', (unit) => {
    expect(decode(envelope({ payload: { unit: JSON.stringify(unit) } }))).toMatchObject({
      ok: true,
      reading: { unit },
    });
  });

  it('accepts an event time just inside both bounds', () => {
    expect(decode(envelope({ outer: { created_at: '631152000' } })).ok).toBe(true);
    expect(decode(envelope({ outer: { created_at: String(RECEIVED_AT_MS / 1_000 + 3_600) } })).ok).toBe(true);
  });

  it('decides on the fast path just as on the thorough one', () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.constantFrom('0', '-0', '00', '1.', '.5', '1.50', '+1', '1e5', 'NaN', '12345678901234567890', '9'.repeat(40)),
    );
    const id = fc.oneof(fc.nat().map(String), fc.constantFrom('06', '"a b"', '"L1.bus-7"', '"ü"', '-1', '1.0', '"6"'));
    const createdAt = fc.oneof(
      fc.integer({ min: 600_000_000, max: 1_800_000_000 }).map(String),
      fc.double({ min: 6e8, max: 1.8e9, noNaN: true }).map(String),
      fc.constantFrom('0631152000', '631152000.', '1e9', '99999999999'),
    );
    const unit = fc.constantFrom('MW', '', 'k W', '°C', 'm^3/s', 'a\\\\b', '%');
    const separator = fc.constantFrom('', ' ');
    fc.assert(
      fc.property(
        number,
        id,
        createdAt,
        unit,
        separator,
        fc.boolean(),
        (modality, sensorId, time, unitText, space, damaged) => {
          const payload = `{"sensor_id":${space}${sensorId}, "modality":${space}${modality}, "unit": "${unitText}", "temporal_aspect": "real_time"}`;
          const text = `{"payload":${JSON.stringify(payload)},"correlation_id":"a-1","created_at":${time},"schema_version":1}`;
          const bytes = Buffer.from(damaged ? text.slice(0, -1) : text);
          expect(decodeEnvelope(bytes, RECEIVED_AT_MS, limits)).toEqual(
            decodeThoroughly(bytes, RECEIVED_AT_MS, limits),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never throws, whatever the bytes', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({ payload: fc.json(), created_at: fc.anything(), correlation_id: fc.anything() })
        .map((value) =>
          Buffer.from(
            JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? String(member) : member)),
          ),
        ),
    );
    fc.assert(fc.property(anything, (bytes) => typeof decodeEnvelope(bytes, RECEIVED_AT_MS, limits).ok === 'boolean'));
  });
});

describe('encodeEnvelope', () => {
  it('writes the course format byte for byte', () => {
    const decoded = decode(COURSE);
    expect(decoded.ok && encodeEnvelope(decoded.reading)).toBe(COURSE);
  });

  it('writes what decodeEnvelope reads back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        fc.string({ maxLength: 10 }),
        (idText, unit) => {
          const sensorId = idText.trim();
          const text = encodeEnvelope({
            sensorId,
            modality: '1.50',
            unit,
            aspect: 'edge_prediction',
            correlationId: 'x',
            createdAt: '1694902173.50',
          });
          const decoded = decode(text);
          if (sensorId === '' || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(sensorId)) expect(decoded.ok).toBe(false);
          else
            expect(decoded).toMatchObject({
              ok: true,
              reading: { sensorId, unit, modality: '1.50', createdAt: '1694902173.50' },
            });
        },
      ),
    );
  });
});

describe('an envelope that is meant to take long', () => {
  const generous: DecodeLimits = { ...limits, maxBytes: 8 << 20 };
  // In time quadratic to its length each of these would take minutes.
  it.each([
    ['is cut off within a string of escaped quotes', `{"payload":"${'\\"'.repeat(1_000_000)}`, 'malformed-json'],
    ['holds such a payload', `{"payload":${JSON.stringify(`{"a":"${'\\"'.repeat(500_000)}`)}}`, 'malformed-payload'],
    ['is deep', '{"payload":'.repeat(300_000), 'malformed-json'],
    ['is deep and closed', `{"payload":${'['.repeat(500_000)}${']'.repeat(500_000)}}`, 'wrong-type'],
    [
      'has a number of very many zeros',
      envelope({ payload: { modality: `0.${'0'.repeat(1_000_000)}x` } }),
      'malformed-payload',
    ],
    [
      'has an event time of very many digits',
      envelope({ outer: { created_at: `1${'0'.repeat(300)}` } }),
      'event-time-too-far-ahead',
    ],
    ['has very many fields', `{${'"a":1,'.repeat(500_000)}"b":1}`, 'missing-field'],
    ['is white space', ' '.repeat(1_000_000), 'malformed-json'],
    ['is one quote after another', '"'.repeat(1_000_001), 'malformed-json'],
  ])('because it %s is rejected in time', (_what, text, code) => {
    expect(decodeEnvelope(Buffer.from(text), RECEIVED_AT_MS, generous)).toMatchObject({ rejection: { code } });
  });
});
