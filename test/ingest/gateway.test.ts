import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOfKey } from '../../connectors/kafka/produce/murmur2.ts';
import { makeEnvelope } from '../support/readings.ts';
import { GatewayBed } from './gateway-bed.ts';
import { TopicBed } from './topic-bed.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NDJSON_TYPE = { 'content-type': 'application/x-ndjson' };
const LINE_TYPE = { 'content-type': 'application/vnd.influx.line-protocol' };

const topics = new TopicBed();
let topic = '';
let bed: GatewayBed;

beforeAll(async () => {
  topic = await topics.create('gateway');
  bed = await GatewayBed.start(topic);
});
afterAll(async () => {
  await bed.close();
  await topics.cleanUp();
});

/** What of `envelopes` lies in the topic, how often. */
async function stored(envelopes: readonly string[]): Promise<number[]> {
  const values = await topics.values(topic);
  return envelopes.map((envelope) => values.filter((value) => value === envelope).length);
}

describe('a body of readings', () => {
  const variants = () => [
    makeEnvelope({ sensorId: '6', modality: '421.50' }),
    makeEnvelope({ sensorId: 'north/7', unit: '°C' }),
    makeEnvelope().replace('"schema_version"', ' "schema_version"'),
    `{"payload":{"station_id":"9","modality":1.500,"unit":"MW","temporal_aspect":"edge_prediction"},"correlation_id":"${crypto.randomUUID()}","created_at":1694902173.1224580,"schema_version":1}`,
  ];

  it.each<[string, (envelopes: readonly string[]) => string | Buffer, Readonly<Record<string, string>>]>([
    ['a JSON array', (all) => `[${all.join(',\n ')}]`, JSON_TYPE],
    ['an undeclared array', (all) => `[${all.join(',')}]`, {}],
    ['newline-delimited JSON', (all) => all.join('\n'), NDJSON_TYPE],
    ['lines declared as JSON, with CRLF and blank lines', (all) => `${all.join('\r\n\r\n')}\r\n`, JSON_TYPE],
    ['lines declared as text', (all) => all.join('\n'), { 'content-type': 'text/plain; charset=utf-8' }],
    ['lines from curl --data-binary', (all) => all.join('\n'), { 'content-type': 'application/x-www-form-urlencoded' }],
    ['gzip', (all) => gzipSync(all.join('\n')), { ...NDJSON_TYPE, 'content-encoding': 'gzip' }],
    ['deflate', (all) => deflateSync(`[${all.join(',')}]`), { ...JSON_TYPE, 'content-encoding': 'deflate' }],
    ['brotli', (all) => brotliCompressSync(all.join('\n')), { ...NDJSON_TYPE, 'content-encoding': 'br' }],
    ['lines behind a byte order mark', (all) => `\uFEFF${all.join('\n')}`, NDJSON_TYPE],
  ])('that is %s is stored byte for byte, keyed by sensor', async (_what, make, headers) => {
    const envelopes = variants();
    const answer = await bed.post(make(envelopes), headers);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 4, duplicates: 0, rejected: [] } });
    const records = await topics.read(topic);
    const found = envelopes.map((envelope) => records.filter(({ value }) => value.toString() === envelope));
    expect(found.map(([record, ...more]) => [record?.key, more.length])).toEqual([
      ['6', 0],
      ['north/7', 0],
      ['6', 0],
      ['9', 0],
    ]);
    for (const [record] of found) expect(record?.partition).toBe(partitionOfKey(record?.key ?? '', 6));
  });

  it('that is one envelope is stored', async () => {
    const envelope = makeEnvelope();
    expect(await bed.post(envelope)).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await stored([envelope])).toEqual([1]);
  });

  it('that is one envelope written over lines is stored on one line', async () => {
    const envelope = makeEnvelope();
    const pretty = JSON.stringify(JSON.parse(envelope), null, 2);
    expect(await bed.post(pretty)).toMatchObject({ status: 202, body: { accepted: 1 } });
    expect(await stored([pretty.replaceAll('\n', ' ')])).toEqual([1]);
  });

  it('keeps the order of each sensor', async () => {
    const envelopes = Array.from({ length: 3_000 }, (_, index) =>
      makeEnvelope({ sensorId: `order-${index % 7}`, modality: String(index) }),
    );
    await bed.post(envelopes.join('\n'), NDJSON_TYPE);
    const records = await topics.read(topic);
    for (let sensor = 0; sensor < 7; sensor++) {
      const values = records.filter(({ key }) => key === `order-${sensor}`).map(({ value }) => value.toString());
      expect(values).toEqual(envelopes.filter((_, index) => index % 7 === sensor));
    }
  });
});

describe('line protocol', () => {
  it.each([
    [LINE_TYPE, '/ingest?precision=ms', 202],
    [{ 'content-type': 'text/plain' }, '/ingest?precision=ms', 202],
    [{ 'content-type': 'text/plain; charset=utf-8' }, '/write?db=grid&precision=ms', 204],
    [{ 'content-type': 'application/octet-stream' }, '/api/v2/write?org=o&bucket=b&precision=ms', 204],
  ])('sent as %j to %s becomes readings', async (headers, path, status) => {
    const sensor = crypto.randomUUID();
    const lines = `power,sensor_id=${sensor},unit=MW value=421.50 1694902173122\npower,sensor_id=${sensor},unit=V voltage=230.10 1694902173122\n`;
    const answer = await bed.post(gzipSync(lines), { ...headers, 'content-encoding': 'gzip' }, path);
    expect(answer.status).toBe(status);
    const records = (await topics.read(topic)).filter(({ key }) => key?.startsWith(sensor));
    expect(records.map(({ key }) => key).sort()).toEqual([sensor, `${sensor}.voltage`]);
    expect(records.find(({ key }) => key === sensor)?.value.toString()).toMatch(
      /\\"modality\\": 421\.50, \\"unit\\": \\"MW\\".*"created_at":1694902173\.122,/,
    );
  });

  it('that is partly bad stores the rest, and says so in both APIs', async () => {
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    const lines = (sensor: string) =>
      `m,sensor_id=${sensor} value=1 1694902173\nbad\nm,sensor_id=${sensor} on=true 1694902173`;
    expect(await bed.post(lines(first), LINE_TYPE, '/ingest?precision=s')).toMatchObject({
      status: 202,
      body: {
        accepted: 1,
        rejected: [
          { index: 1, code: 'malformed-line-protocol' },
          { index: 2, code: 'wrong-type', field: 'on' },
        ],
      },
    });
    expect(await bed.post(lines(second), LINE_TYPE, '/write?precision=s')).toMatchObject({
      status: 400,
      body: { code: 'invalid', message: expect.stringContaining('partial write: 2 ') as string },
    });
    const keys = (await topics.read(topic)).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining([first, second]));
  });

  it('with a precision that is none is refused', async () => {
    expect(await bed.post('m v=1', LINE_TYPE, '/ingest?precision=day')).toMatchObject({ status: 400 });
  });
});

describe('records that cannot be read', () => {
  const broken = (change: (envelope: Record<string, unknown>) => unknown) =>
    JSON.stringify(change(JSON.parse(makeEnvelope()) as Record<string, unknown>));
  const payload = (change: object) =>
    broken((envelope) => ({
      ...envelope,
      payload: { ...(JSON.parse(String(envelope['payload'])) as object), ...change },
    }));
  const now = Date.now() / 1_000;

  const cases: [string, string, string | undefined][] = [
    ['{"payload":', 'malformed-json', undefined],
    ['42', 'not-an-envelope', undefined],
    [broken((e) => ({ ...e, payload: '{' })), 'malformed-payload', undefined],
    [broken((e) => ({ ...e, payload: 5 })), 'wrong-type', 'payload'],
    [broken((e) => ({ ...e, correlation_id: undefined })), 'missing-field', 'correlation_id'],
    [broken((e) => ({ ...e, created_at: 'now' })), 'wrong-type', 'created_at'],
    [broken((e) => ({ ...e, created_at: 5 })), 'event-time-too-old', 'created_at'],
    [broken((e) => ({ ...e, created_at: now + 7_200 })), 'event-time-too-far-ahead', 'created_at'],
    [broken((e) => ({ ...e, schema_version: 2 })), 'unknown-schema-version', 'schema_version'],
    [payload({ sensor_id: '' }), 'invalid-sensor-id', 'sensor_id'],
    [payload({ sensor_id: 1.5 }), 'invalid-sensor-id', 'sensor_id'],
    [payload({ modality: 'NaN' }), 'not-a-number', 'modality'],
    [payload({ temporal_aspect: 'past' }), 'unknown-aspect', 'temporal_aspect'],
    [payload({ unit: 'x'.repeat(70_000) }), 'oversized-record', undefined],
  ];

  it('are rejected one by one with their code and place, and the others are stored', async () => {
    const [first, last] = [makeEnvelope(), makeEnvelope()];
    const body = [first, ...cases.map(([record]) => record), last].join('\n');
    const answer = await bed.post(body, NDJSON_TYPE);
    expect(answer).toMatchObject({ status: 202, body: { accepted: 2, duplicates: 0 } });
    expect(answer.body.rejected.map(({ index, code, field }) => [index, code, field])).toEqual(
      cases.map(([, code, field], index) => [index + 1, code, field]),
    );
    for (const { message } of answer.body.rejected) expect(message).toMatch(/^[A-Z\w].*\.$/);
    expect(await stored([first, last])).toEqual([1, 1]);
  });

  it('that are not valid UTF-8 are told in an array too', async () => {
    const bad = Buffer.concat([Buffer.from('[{"a":"'), Buffer.from([0xff]), Buffer.from(`"},${makeEnvelope()}]`)]);
    const answer = await bed.post(bad);
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ index: 0, code: 'invalid-encoding' }] });
  });

  it('all of them, are still a readable request', async () => {
    expect(await bed.post('[1,2]')).toMatchObject({
      status: 202,
      body: { accepted: 0, rejected: [{ index: 0 }, { index: 1 }] },
    });
  });
});

describe('a reading that is sent again', () => {
  it('is counted, not stored again, in the same request and in a later one', async () => {
    const envelope = makeEnvelope();
    expect((await bed.post(`[${envelope},${envelope}]`)).body).toMatchObject({ accepted: 1, duplicates: 1 });
    expect((await bed.post(envelope)).body).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await stored([envelope])).toEqual([1]);
  });

  it('with other bytes is stored', async () => {
    const correlationId = crypto.randomUUID();
    const [first, second] = [
      makeEnvelope({ correlationId, modality: '1' }),
      makeEnvelope({ correlationId, modality: '2' }),
    ];
    expect((await bed.post(`${first}\n${second}`)).body).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(await stored([first, second])).toEqual([1, 1]);
  });

  it('at the same time is stored at least once, and never only called a duplicate', async () => {
    const envelope = makeEnvelope();
    const answers = await Promise.all([1, 2, 3, 4].map(() => bed.post(envelope)));
    const accepted = answers.reduce((sum, { body }) => sum + body.accepted, 0);
    expect(accepted).toBeGreaterThanOrEqual(1);
    expect(answers.reduce((sum, { body }) => sum + body.duplicates, 0)).toBe(4 - accepted);
    expect(await stored([envelope])).toEqual([accepted]);
  });
});

describe('a request that is refused as a whole', () => {
  it.each<[string, string | Buffer, Readonly<Record<string, string>>, number, string]>([
    ['empty', ' \n', JSON_TYPE, 422, 'empty-record'],
    ['of a type that is not known', '<a/>', { 'content-type': 'text/xml' }, 415, 'unsupported-media-type'],
    [
      'of an encoding that is not known',
      'x',
      { ...JSON_TYPE, 'content-encoding': 'compress' },
      415,
      'unsupported-media-type',
    ],
    [
      'not what its encoding says',
      'not gzip',
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
      400,
      'malformed-compression',
    ],
    [
      'cut off in its compression',
      gzipSync(makeEnvelope()).subarray(0, 60),
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
      400,
      'malformed-compression',
    ],
    [
      'cut off in its compression (br)',
      brotliCompressSync(makeEnvelope()).subarray(0, 60),
      { ...JSON_TYPE, 'content-encoding': 'br' },
      400,
      'malformed-compression',
    ],
    ['cut off in its array', `[${makeEnvelope()}`, JSON_TYPE, 400, 'malformed-json'],
    ['no JSON at all', 'hello', JSON_TYPE, 400, 'malformed-json'],
    ['larger than allowed', Buffer.alloc((8 << 20) + 1, 0x20), JSON_TYPE, 413, 'request-too-large'],
    ['of too many records', '1\n'.repeat(50_001), NDJSON_TYPE, 413, 'request-too-large'],
    ['of too many elements', `[${'1,'.repeat(4_000_000)}1]`, JSON_TYPE, 413, 'request-too-large'],
  ])('%s', async (_what, body, headers, status, code) => {
    expect(await bed.post(body, headers)).toMatchObject({
      status,
      body: { code, message: expect.any(String) as string },
    });
  });

  it('stores nothing of it', async () => {
    const envelope = makeEnvelope();
    await bed.post(`[${envelope}, {"cut":`);
    expect(await stored([envelope])).toEqual([0]);
  });

  it('for what it decompresses to takes no memory to speak of', async () => {
    const bomb = gzipSync(Buffer.alloc(512 << 20, 0x20));
    const before = process.memoryUsage().rss;
    const answer = await bed.post(bomb, { ...NDJSON_TYPE, 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 413, body: { code: 'request-too-large' } });
    expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
    expect((await bed.post(makeEnvelope())).status).toBe(202);
  });

  it('when the requests under way hold all the memory there is, with a time to try again', async () => {
    const small = await GatewayBed.start(topic, { memoryBytes: 100_000 });
    try {
      const body = Array.from({ length: 300 }, () => makeEnvelope()).join('\n');
      const answers = await Promise.all(Array.from({ length: 20 }, () => small.post(body, NDJSON_TYPE)));
      const refused = answers.filter(({ status }) => status !== 202);
      expect(refused.length).toBeGreaterThan(0);
      for (const { status, headers, body: told } of refused) {
        expect([status, told.code]).toEqual([429, 'producer-queue-full']);
        expect(headers.get('retry-after')).toBe('1');
      }
      expect((await small.post(makeEnvelope())).status).toBe(202);
    } finally {
      await small.close();
    }
  });
});

describe('beside ingestion', () => {
  it('paths and methods that are not known are told as JSON', async () => {
    expect(await bed.post('x', {}, '/nothing')).toMatchObject({ status: 404, body: { code: 'unknown-route' } });
    const response = await fetch(bed.url('/ingest'));
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await response.json()).toMatchObject({ code: 'method-not-allowed' });
  });

  it('health, readiness and metrics are told', async () => {
    expect((await fetch(bed.url('/healthz'))).status).toBe(200);
    expect(await (await fetch(bed.url('/readyz'))).json()).toEqual({ ready: true, problems: [] });
    const metrics = await (await fetch(bed.url('/metrics'))).text();
    expect(metrics).toMatch(/powergrid_ingest_records_total\{format="ndjson",result="accepted",process="test"\} \d+/);
    expect(metrics).toMatch(/powergrid_ingest_rejected_records_total\{code="unknown-aspect",process="test"\} 1/);
    expect(metrics).toMatch(/powergrid_ingest_memory_bytes\{process="test"\} 0/);
  });

  it('readiness names a topic that is missing', async () => {
    const other = await GatewayBed.start(topics.name('missing'));
    try {
      const response = await fetch(other.url('/readyz'));
      expect(response.status).toBe(503);
      expect(await response.text()).toContain('there is no such topic');
    } finally {
      await other.close();
    }
  });
});
