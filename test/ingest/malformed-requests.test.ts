import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { GatewayBed } from './gateway-bed.ts';
import { exchange } from './http-exchange.ts';
import { TopicBed } from './topic-bed.ts';

/** Long beside what a linear reader takes, short beside the minutes to hours of a quadratic one. */
const LIMIT_MS = 15_000;
const LINE_TYPE = { 'content-type': 'application/vnd.influx.line-protocol' };

const topics = new TopicBed();
let topic = '';
let bed: GatewayBed;

beforeAll(async () => {
  topic = await topics.create('malformed');
  bed = await GatewayBed.start(topic);
});
afterAll(async () => {
  await bed.close();
  await topics.cleanUp();
});

/** Sends a request as it is written, and reads status and code of the answer. */
async function answerTo(lines: readonly string[], body: string | Buffer = ''): Promise<[number, string]> {
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const answer = await exchange(bed.gateway.port, Buffer.concat([head, Buffer.from(body)]), false, LIMIT_MS);
  if (answer.kind !== 'answered') throw new Error(`${answer.kind}: ${answer.received}`);
  const { code, message } = JSON.parse(answer.body) as { code: string; message: string };
  expect(message).toMatch(/\w\.$/);
  return [answer.status, code];
}
const POST = ['POST /ingest HTTP/1.1', 'host: x', 'connection: close'];

describe('names that every object inherits', () => {
  const names = Object.getOwnPropertyNames(Object.prototype);

  it.each(names)('%s is no encoding, no precision, no type', async (name) => {
    const envelope = makeEnvelope();
    const encoded = await bed.post(envelope, { 'content-type': 'application/json', 'content-encoding': name });
    expect([encoded.status, encoded.body.code]).toEqual([415, 'unsupported-media-type']);
    const typed = await bed.post(envelope, { 'content-type': name });
    expect([typed.status, typed.body.code]).toEqual([415, 'unsupported-media-type']);
    for (const path of ['/ingest', '/write', '/api/v2/write']) {
      const written = await bed.post('m v=1', LINE_TYPE, `${path}?precision=${name}`);
      expect([written.status, written.body.code]).toEqual([400, 'malformed-line-protocol']);
    }
    expect((await bed.post('x', {}, `/${name}`)).status).toBe(404);
  });
});

describe('a request that says two things', () => {
  it.each<[string, string[], [number, string]]>([
    ['two types', ['content-type: application/json', 'content-type: text/plain'], [400, 'malformed-request']],
    ['two encodings', ['content-encoding: gzip', 'content-encoding: br'], [400, 'malformed-request']],
    ['two lengths', ['content-length: 2', 'content-length: 3'], [400, 'malformed-request']],
    ['a length and chunks', ['content-length: 2', 'transfer-encoding: chunked'], [400, 'malformed-request']],
    ['a length that is none', ['content-length: -1'], [400, 'malformed-request']],
    ['a length beyond any', [`content-length: ${'9'.repeat(30)}`], [400, 'malformed-request']],
    ['a length beyond the limit', ['content-length: 9007199254740991'], [413, 'request-too-large']],
    ['an expectation', ['expect: a miracle', 'content-length: 2'], [417, 'malformed-request']],
    ['headers without end', [`x: ${'y'.repeat(20_000)}`], [431, 'request-too-large']],
    [
      'a charset that is not read',
      ['content-type: application/json; charset=utf-16', 'content-length: 2'],
      [415, 'unsupported-media-type'],
    ],
  ])('%s', async (_what, headers, expected) => {
    expect(await answerTo([...POST, ...headers], '{}')).toEqual(expected);
  });

  it('two precisions', async () => {
    const answer = await bed.post('m v=1', LINE_TYPE, '/write?precision=s&precision=ms');
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed-request']);
  });
});

describe('what is no request', () => {
  it.each<[string, string[], [number, string]]>([
    ['no HTTP', ['hello'], [400, 'malformed-request']],
    ['a method that is none', ['F<>O / HTTP/1.1', 'host: x'], [400, 'malformed-request']],
    ['a path that cannot be decoded', ['GET /%ff HTTP/1.1', 'host: x'], [400, 'malformed-request']],
    ['a path like a pattern', ['GET /:a(b HTTP/1.1', 'host: x'], [404, 'unknown-route']],
    ['a tunnel', ['CONNECT db:5432 HTTP/1.1', 'host: x'], [405, 'method-not-allowed']],
  ])('%s', async (_what, lines, expected) => {
    expect(await answerTo(lines)).toEqual(expected);
  });

  it('one whose sender goes away costs nothing but itself', async () => {
    for (const headers of [[], ['content-encoding: gzip'], ['content-encoding: br']]) {
      const lines = [...POST, ...headers, 'content-type: application/json', 'content-length: 1000000'];
      const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), gzipSync(makeEnvelope())]);
      await exchange(bed.gateway.port, bytes, true, LIMIT_MS);
    }
    await eventually('the memory of the bodies is given back', async () => {
      const metrics = await (await fetch(bed.url('/metrics'))).text();
      return /^powergrid_ingest_memory_bytes\{.*\} 0$/m.test(metrics);
    });
    expect(await (await fetch(bed.url('/metrics'))).text()).not.toMatch(/requests_total\{status="5/);
    expect((await bed.post(makeEnvelope())).status).toBe(202);
  });
});

describe('line protocol that would hold up a reader that goes back', () => {
  const MIB = 1 << 20;
  it.each<[string, string, string]>([
    ['zeros before what is no number', `load,sensor_id=6 value=${'0'.repeat(MIB)}x`, 'has more than 65536 bytes'],
    ['fewer of them', `load,sensor_id=6 value=${'0'.repeat(60_000)}x`, 'neither a number'],
    ['zeros before a letter of an integer', `load value=${'0'.repeat(60_000)}ix`, 'neither a number'],
    ['carriage returns in a name', `load${'\r'.repeat(4 * MIB)}x`, 'has more than 16384 bytes'],
    ['escapes in a quoted value', `load s="${'\\"'.repeat(MIB)}`, 'is not closed within 65536 bytes'],
    ['tags', `load${',a=1'.repeat(MIB)} v=1`, 'more than 1000 tags'],
    [
      'tags of some length',
      `load,${'a'.repeat(9_000)}=1,${'b'.repeat(9_000)}=1 v=1`,
      'the measurement and its tags have more',
    ],
    ['fields', `load ${'a=1,'.repeat(MIB)}v=1`, 'more than 10000 fields'],
    ['a field key', `load ${'k'.repeat(MIB)}=1`, 'a field key has more than 16384 bytes'],
  ])('%s', async (_what, line, message) => {
    const body = gzipSync(`${line}\nload,sensor_id=6 value=1`);
    const startedMs = performance.now();
    const answer = await bed.post(body, { ...LINE_TYPE, 'content-encoding': 'gzip' });
    expect(performance.now() - startedMs).toBeLessThan(LIMIT_MS);
    expect(answer.body.rejected).toMatchObject([{ index: 0, code: 'malformed-line-protocol' }]);
    expect(answer.body.rejected[0]?.message).toContain(message);
    expect(answer.body.rejected[0]?.message.length).toBeLessThan(300);
    expect(answer.body.accepted).toBe(1);
  });

  it.each([
    [`${'0'.repeat(60_000)}1`, '1'],
    [`${'0'.repeat(60_000)}1.5`, '1.5'],
    [`-${'0'.repeat(60_000)}12i`, '-12'],
  ])('a number that is one is stored, however many zeros stand before it', async (written, text) => {
    const sensor = crypto.randomUUID();
    expect(await bed.post(`m,sensor_id=${sensor} value=${written}`, LINE_TYPE)).toMatchObject({
      status: 202,
      body: { accepted: 1 },
    });
    const record = (await topics.read(topic)).find(({ key }) => key === sensor);
    expect(record?.value.toString()).toContain(`\\"modality\\": ${text},`);
  });

  it('readings that are much longer than the line that makes them', async () => {
    const line = `m,unit=${'u'.repeat(16_000)} ${Array.from({ length: 9_000 }, (_, field) => `f${field}=1`).join(',')}`;
    const answer = await bed.post(line, LINE_TYPE);
    expect([answer.status, answer.body.code]).toEqual([413, 'request-too-large']);
    expect(await (await fetch(bed.url('/metrics'))).text()).toMatch(/powergrid_ingest_memory_bytes\{.*\} 0/);
  });
});
