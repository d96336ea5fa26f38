import fc from 'fast-check';
import { encodeEnvelope } from '../../grid/envelope.ts';

const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const plain = fc
  .tuple(fc.constantFrom('', '-'), digits(21), fc.option(digits(20), { nil: undefined }))
  .map(([sign, integer, fraction]) => {
    const whole = integer.replace(/^0+(?=\d)/, '');
    return `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`;
  });
const measured = fc.integer({ min: -5_000_000, max: 5_000_000 }).map((value) => (value / 1_000).toFixed(3));
const SPECIAL = [
  '0',
  '-0',
  '0.0',
  '1.50',
  '1e3',
  '1.5E+2',
  '1E-18',
  '1e-19',
  '-5e-9',
  '4.999999999e-9',
  '0.000000005',
  '-0.000000005',
  '1.0000000000000000000',
  '0.1234567890123456789',
  '9999999999.999999995',
  '9999999999.999999994',
  '99999999999999999999.999999999999999999',
  '-99999999999999999999.999999999999999999',
  '99999999999999999999',
  '100000000000000000000',
  '1e20',
  '1e300',
  '0e999',
  '123456789012345678901234567890.5',
] as const;
const modality = fc.oneof(
  { weight: 4, arbitrary: measured },
  { weight: 2, arbitrary: plain },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: fc.constantFrom(...SPECIAL) },
);

/** Three days, so that many readings share windows. */
const createdAt = fc
  .tuple(
    fc.constantFrom('2024-02-28', '2024-02-29', '2024-03-01'),
    fc.oneof(fc.constantFrom(0, 59, 60, 3_599, 86_399), fc.integer({ min: 0, max: 600 })),
    fc.option(digits(22), { nil: undefined }),
  )
  .map(([day, second, fraction]) => {
    const seconds = String(Date.parse(`${day}T00:00:00Z`) / 1_000 + second);
    return fraction === undefined ? seconds : `${seconds}.${fraction}`;
  });
const SENSORS = ['6', '7', 'a-1', 'ü "x"', 'tab\u00a0é', '\u{1f600}', 'back\\slash'];
const sensorId = fc.constantFrom(...SENSORS);
const unit = fc.constantFrom('MW', 'MW', '%', 'k\tV', 'line\nfeed', 'CR\r', '\\N', '', 'µV', 'a\0b', 'NULL');
const correlationId = fc.oneof(
  fc.uuid(),
  fc.uuid(),
  fc
    .constantFrom('\u{1f600}', '\uffee', 'a\ud800', 'a\ud801', 'with space', "quote'", '\\', 'tab\t', 'one\u0001')
    .chain((odd) => fc.nat({ max: 50 }).map((number) => `${odd}${number}`)),
);

const fields = fc
  .record({
    sensorId,
    modality,
    unit,
    aspect: fc.constantFrom('real_time' as const, 'edge_prediction' as const),
    correlationId,
    createdAt,
  })
  // No two sensors share an id: which of two files holds the first of them hangs on the routes.
  .map((reading) => ({ ...reading, correlationId: `${reading.correlationId}-${SENSORS.indexOf(reading.sensorId)}` }));

/** An envelope in one of the forms that are read. */
const envelope = fc.tuple(fields, fc.nat({ max: 5 })).map(([reading, form]) => {
  const usual = encodeEnvelope(reading);
  if (form < 3) return usual;
  const payload = `{"sensor_id": ${JSON.stringify(reading.sensorId)},\t"modality" : ${reading.modality},"unit":${JSON.stringify(reading.unit)}, "temporal_aspect":"${reading.aspect}", "more": [1, {"a": "}"}]}`;
  const rest = `"correlation_id": ${JSON.stringify(reading.correlationId)},\n "created_at": ${reading.createdAt}, "schema_version": 1`;
  if (form === 3) return `{"payload": ${payload}, ${rest}}`;
  if (form === 4) return `{${rest}, "payload": ${JSON.stringify(payload.replace('sensor_id', 'station_id'))}}`;
  return usual.replace('sensor_id', 'station_id');
});

/** Envelopes with odd numbers, names and forms, the same at every call; some come twice, and some again with another value. */
export function oddReadings(count: number): string[] {
  const envelopes = fc.sample(envelope, { numRuns: count, seed: 7_260_414 });
  const again = envelopes.filter((_, index) => index % 11 === 0);
  const changed = envelopes
    .filter((_, index) => index % 13 === 0)
    .map((text) => text.replace(/(modality\\?" ?: ?)[-+.\dEe]+/, '$1777.5'));
  return [...envelopes, ...again, ...changed];
}
