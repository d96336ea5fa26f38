import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayBed } from './gateway-bed.ts';
import { TopicBed } from './topic-bed.ts';

const topics = new TopicBed();
let topic = '';
let bed: GatewayBed;

beforeAll(async () => {
  topic = await topics.create('influxdb');
  bed = await GatewayBed.start(topic);
});
afterAll(async () => {
  await bed.close();
  await topics.cleanUp();
});

async function answerTo(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; version: string | null; body: unknown }> {
  const response = await fetch(bed.url(path), init);
  const text = await response.text();
  const body = text === '' ? undefined : (JSON.parse(text) as unknown);
  return { status: response.status, version: response.headers.get('x-influxdb-version'), body };
}

describe('what senders probe before they write', () => {
  it.each([
    ['/ping', {}],
    ['/ping', { method: 'HEAD' }],
    ['/ping?verbose=false', {}],
    ['/ping?verbose=0', {}],
    ['/ping?verbose=', {}],
  ])('%s %j: that somebody is there', async (path, init) => {
    expect(await answerTo(path, init)).toEqual({ status: 204, version: '1.8.10', body: undefined });
  });

  it.each(['true', '1', 'yes'])('/ping?verbose=%s: which version it is', async (verbose) => {
    const expected = { status: 200, version: '1.8.10', body: { version: '1.8.10' } };
    expect(await answerTo(`/ping?verbose=${verbose}`)).toEqual(expected);
  });

  it('/health: that it is ready', async () => {
    expect(await answerTo('/health')).toEqual({
      status: 200,
      version: '1.8.10',
      body: { name: 'influxdb', message: 'ready for writes', status: 'pass', checks: [], version: '1.8.10' },
    });
  });

  it('/health: why it is not', async () => {
    const other = await GatewayBed.start(topics.name('influxdb-missing'));
    try {
      const response = await fetch(other.url('/health'));
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        status: 'fail',
        message: expect.stringContaining('there is no such topic') as string,
      });
    } finally {
      await other.close();
    }
  });

  const form = (q: string): RequestInit => ({ method: 'POST', body: new URLSearchParams({ q }) });
  const done = (count: number) => ({ results: Array.from({ length: count }, (_, index) => ({ statement_id: index })) });
  it.each<[string, string, RequestInit, unknown]>([
    ['as Telegraf does', '/query', form('CREATE DATABASE "tele;graf"'), done(1)],
    [
      'in the URL',
      `/query?${new URLSearchParams({ q: 'create database grid' }).toString()}`,
      { method: 'POST' },
      done(1),
    ],
    ['by GET', `/query?${new URLSearchParams({ q: 'CREATE DATABASE grid' }).toString()}`, {}, done(1)],
    [
      'with a retention policy',
      '/query',
      form('CREATE DATABASE grid WITH DURATION 3d; CREATE RETENTION POLICY "a\\"b" ON grid DURATION 1d REPLICATION 1;'),
      done(2),
    ],
    [
      'after asking for all',
      '/query',
      form('SHOW DATABASES'),
      { results: [{ statement_id: 0, series: [{ name: 'databases', columns: ['name'] }] }] },
    ],
  ])('a database is created, %s', async (_how, path, init, body) => {
    expect(await answerTo(path, init)).toEqual({ status: 200, version: '1.8.10', body });
  });

  it.each<[string, string, RequestInit, number, string]>([
    ['what can be queried nowhere here', '/query', form('SELECT * FROM cpu'), 400, 'cannot be answered'],
    ['nothing', '/query', form(' '), 400, 'missing required parameter'],
    ['nothing, in no form', '/query', { method: 'POST' }, 400, 'missing required parameter'],
    ['two queries', '/query?q=a&q=b', {}, 400, 'given 2 times'],
    ['a query that is too long', '/query', form(`CREATE DATABASE ${'x'.repeat(9_000)}`), 413, 'longer than 8192'],
    [
      'a query in another form',
      '/query',
      { method: 'POST', body: '{}', headers: { 'content-type': 'text/x' } },
      415,
      'form',
    ],
  ])('%s is refused with a sentence', async (_what, path, init, status, message) => {
    expect(await answerTo(path, init)).toMatchObject({
      status,
      body: { message: expect.stringContaining(message) as string },
    });
  });
});

describe('a write', () => {
  it.each(['/write?db=grid', '/api/v2/write?org=o&bucket=b'])('of nothing to %s is none', async (path) => {
    for (const body of ['', '\n', ' \r\n\t\n', '\ufeff', '# a comment']) {
      const answer = await answerTo(path, { method: 'POST', body });
      expect([body, answer]).toEqual([body, { status: 204, version: '1.8.10', body: undefined }]);
    }
  });

  it.each(['/write?precision=', '/api/v2/write?precision=', '/ingest?precision='])(
    'to %s has nanoseconds when it names no precision',
    async (path) => {
      const sensor = crypto.randomUUID();
      const headers = { 'content-type': 'application/vnd.influx.line-protocol' };
      const body = `m,sensor_id=${sensor} value=1 1694902173122458000`;
      expect((await fetch(bed.url(path), { method: 'POST', headers, body })).ok).toBe(true);
      const record = (await topics.read(topic)).find(({ key }) => key === sensor);
      expect(record?.value.toString()).toContain('"created_at":1694902173.122458,');
    },
  );

  it('that is refused as a whole says why in the words of both generations', async () => {
    expect(await answerTo('/write?precision=day', { method: 'POST', body: 'm v=1' })).toMatchObject({
      status: 400,
      body: {
        error: expect.stringContaining('precision=day') as string,
        message: expect.stringContaining('precision=day') as string,
        field: 'precision',
      },
    });
  });
});
