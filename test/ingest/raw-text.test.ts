import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startRawTextSource, type RawTextSource } from '../../streaming/sources/raw-text/raw-text-source.ts';
import { loadConfig } from '../../runtime/config.ts';
import { SILENT, TopicBed } from './topic-bed.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const latin1 = (text: string) => Buffer.from(text, 'latin1');

const topics = new TopicBed();
let topic = '';
let producer: KafkaProducer;
let source: RawTextSource;

beforeAll(async () => {
  topic = await topics.create('raw', 4);
  producer = new KafkaProducer({
    brokers: loadConfig().KAFKA_BROKERS,
    clientId: 'test-raw',
    logger: SILENT,
    queueBytes: 4 << 20,
  });
  source = await startRawTextSource({
    host: '127.0.0.1',
    port: 0,
    producer,
    topic,
    logger: SILENT,
    metrics: createMetrics('test'),
    maxLineBytes: 10_000,
    maxEventsBytes: 1 << 20,
  });
});
afterAll(async () => {
  await source.close();
  await producer.close(5_000);
  await topics.cleanUp();
});

async function post(
  body: string | Uint8Array | Readable,
  headers: Readonly<Record<string, string>> = {},
  path = '/',
): Promise<{ status: number; body: { lines?: number; code?: string; message?: string } }> {
  const response = await fetch(`http://127.0.0.1:${source.port}${path}`, {
    method: 'POST',
    headers,
    body: body instanceof Readable ? (Readable.toWeb(body) as ReadableStream) : Buffer.from(body as string),
    duplex: 'half',
  });
  return { status: response.status, body: (await response.json()) as { lines?: number } };
}

/** The lines of the request that holds `mark`, in the order of their partition. */
async function linesWith(
  mark: string,
): Promise<{ value: Buffer; partition: number; headers: Readonly<Record<string, string>> }[]> {
  const records = await topics.read(topic);
  const key = records.find(({ value }) => value.includes(mark))?.key;
  return records.filter((record) => record.key === key);
}

describe('posted text', () => {
  it('becomes one record a line, in order, on one partition, without loss of a byte', async () => {
    const mark = crypto.randomUUID();
    const body = Buffer.concat([
      Buffer.from(`${mark}\r\n\n  indented\tline \nümlaut\n`),
      Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
      Buffer.from('last, without an end'),
    ]);
    expect(await post(body, { 'content-type': 'text/plain' })).toEqual({ status: 200, body: { lines: 6 } });
    const records = await linesWith(mark);
    expect(records.map(({ value }) => value.toString('latin1'))).toEqual([
      mark,
      '',
      '  indented\tline ',
      Buffer.from('ümlaut').toString('latin1'),
      '\xff\xfe\x00',
      'last, without an end',
    ]);
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
  });

  it('may be of any type, at any path, compressed', async () => {
    const mark = crypto.randomUUID();
    expect(
      await post(gzipSync(`${mark}\nb\n`), { 'content-encoding': 'gzip', 'content-type': 'text/csv' }, '/files/a.csv'),
    ).toEqual({
      status: 200,
      body: { lines: 2 },
    });
    expect((await linesWith(mark)).map(({ value }) => value.toString())).toEqual([mark, 'b']);
  });

  it('of different requests spreads over the partitions', async () => {
    const marks: string[] = Array.from({ length: 24 }, () => crypto.randomUUID());
    await Promise.all(marks.map((mark) => post(mark)));
    const used = (await topics.read(topic)).filter(({ value }) => marks.includes(value.toString()));
    expect(used).toHaveLength(24);
    expect(new Set(used.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  });

  it('with a line that is too long keeps it in numbered records', async () => {
    const mark = crypto.randomUUID();
    const long = mark + 'x'.repeat(25_000);
    expect((await post(`${long}\nnext`)).body).toEqual({ lines: 2 });
    const records = await linesWith(mark);
    expect(records.map(({ value, headers }) => [value.length, headers])).toEqual([
      [10_000, { part: '0' }],
      [10_000, { part: '1' }],
      [long.length - 20_000, { part: '2', parts: '3' }],
      [4, {}],
    ]);
    expect(Buffer.concat(records.slice(0, 3).map(({ value }) => value)).toString()).toBe(long);
  });

  it('of many lines passes through in order', async () => {
    const count = 100_000;
    const mark = crypto.randomUUID();
    let next = 0;
    const body = new Readable({
      read() {
        const lines: string[] = [];
        while (lines.length < 1_000 && next < count)
          lines.push(`${mark} line ${String(next++).padStart(8, '0')} ${'.'.repeat(60)}`);
        this.push(lines.length === 0 ? null : `${lines.join('\n')}\n`);
      },
    });
    expect(await post(body, { 'content-type': 'text/plain' })).toEqual({ status: 200, body: { lines: count } });
    const records = await linesWith(mark);
    expect(records).toHaveLength(count);
    expect(records.every(({ value }, index) => value.includes(`line ${String(index).padStart(8, '0')} `))).toBe(true);
  });

  it('that is empty stores nothing', async () => {
    expect(await post('')).toEqual({ status: 200, body: { lines: 0 } });
  });

  it('that is cut off in its compression says how far it came', async () => {
    const cut = gzipSync('a line of some length\n'.repeat(50_000)).subarray(0, -20);
    const { status, body } = await post(cut, { 'content-encoding': 'gzip' });
    expect([status, body.code]).toEqual([400, 'malformed-compression']);
    expect(body.lines).toBeGreaterThan(0);
    expect(body.message).toContain(`the first ${body.lines ?? 0} lines are stored`);
  });
});

describe('events as Flume takes them', () => {
  it('become records with their headers', async () => {
    const mark = crypto.randomUUID();
    const events = [{ headers: { host: 'a' }, body: mark }, { headers: {}, body: 'two\nlines' }, { body: 'ümlaut' }];
    expect(await post(JSON.stringify(events), { 'content-type': 'application/json; charset=UTF-8' })).toEqual({
      status: 200,
      body: { lines: 4 },
    });
    expect((await linesWith(mark)).map(({ value, headers }) => [value.toString(), headers])).toEqual([
      [mark, { host: 'a' }],
      ['two', {}],
      ['lines', {}],
      ['ümlaut', {}],
    ]);
  });

  it('may begin with a byte order mark', async () => {
    const mark = crypto.randomUUID();
    expect(await post(`\ufeff[{"body":"${mark}"}]`, JSON_TYPE)).toEqual({ status: 200, body: { lines: 1 } });
    expect((await linesWith(mark)).map(({ value }) => value.toString())).toEqual([mark]);
  });

  const refused = crypto.randomUUID();
  it.each<[string, Buffer, string]>([
    ['bytes that are not UTF-8', latin1(`[{"body":"${refused}"},{"body":"S\u00fcd"}]`), 'event 1 is not valid UTF-8.'],
    [
      'several of them',
      latin1(`[{"body":"\u00fc"},{"body":"${refused}"},{"body":"\u00fc"}]`),
      'event 0 is not valid UTF-8 (and 1 more).',
    ],
    [
      'such bytes in a header',
      latin1(`[{"headers":{"a":"\u00fc"},"body":"${refused}"}]`),
      'event 0 is not valid UTF-8.',
    ],
    ['such bytes in no event', latin1(`\u00fc${refused}`), 'the body is not valid UTF-8.'],
    ['half a surrogate pair', Buffer.from(`[{"body":"${refused}"},{"body":"\\ud800"}]`), 'event 1 holds half'],
    [
      'half a surrogate pair in a header',
      Buffer.from(`[{"headers":{"\\udc00":""},"body":"${refused}"}]`),
      'event 0 holds half',
    ],
  ])('with %s are refused', async (_what, body, message) => {
    expect(await post(body, JSON_TYPE)).toMatchObject({
      status: 422,
      body: { code: 'invalid-encoding', lines: 0, message: expect.stringContaining(message) as string },
    });
  });

  it('that were refused are stored in no part', async () => {
    expect((await topics.values(topic)).filter((value) => value.includes(refused))).toEqual([]);
  });

  it.each([
    [
      'an event with long headers',
      [{ headers: { a: 'x'.repeat(5_000) }, body: 'x' }],
      'event 0 has 5001 bytes of headers',
    ],
    [
      'headers repeated with each line',
      [{ headers: { a: 'x'.repeat(4_000) }, body: '\n'.repeat(10_000) }],
      'event headers',
    ],
    ['too many events', Array.from({ length: 50_001 }, () => ({ body: '' })), '50001 events'],
  ])('with %s are refused', async (_what, events, message) => {
    expect(await post(JSON.stringify(events), JSON_TYPE)).toMatchObject({
      status: 413,
      body: { code: 'request-too-large', message: expect.stringContaining(message) as string },
    });
  });

  it('in another charset are refused', async () => {
    const answer = await post('[]', { 'content-type': 'application/json; charset=UTF-16' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
  });

  it.each([
    ['', 'malformed-json'],
    ['{"a":1}\n{"b":2}', 'malformed-json'],
    ['{"body":"x"}', 'malformed-source-data'],
    ['[{"body":5}]', 'malformed-source-data'],
  ])('that are none are refused: %s', async (body, code) => {
    expect(await post(body, JSON_TYPE)).toMatchObject({ body: { code } });
  });
});

it.each(['/', '/logs/a'])('only takes what is posted: %s', async (path) => {
  const response = await fetch(`http://127.0.0.1:${source.port}${path}`);
  expect([response.status, await response.json()]).toMatchObject([405, { code: 'method-not-allowed' }]);
});

it('takes text at a path of any length', async () => {
  expect(await post('x', {}, `/${'p'.repeat(10_000)}`)).toEqual({ status: 200, body: { lines: 1 } });
});
