import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startRawTextSource, type RawTextSource } from '../../streaming/sources/raw-text/raw-text-source.ts';
import { loadConfig } from '../../runtime/config.ts';
import { SILENT, TopicBed } from './topic-bed.ts';

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

  it.each([
    ['{"a":1}\n{"b":2}', 'malformed-json'],
    ['{"body":"x"}', 'malformed-source-data'],
    ['[{"body":5}]', 'malformed-source-data'],
  ])('that are none are refused: %s', async (body, code) => {
    expect(await post(body, { 'content-type': 'application/json' })).toMatchObject({ body: { code } });
  });
});

it('only takes what is posted', async () => {
  const response = await fetch(`http://127.0.0.1:${source.port}/`);
  expect([response.status, await response.json()]).toMatchObject([405, { code: 'method-not-allowed' }]);
});
