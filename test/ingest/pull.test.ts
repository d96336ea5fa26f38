import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { readPullSources } from '../../streaming/sources/pull/pull-file.ts';
import { startPullSources, type PullSources } from '../../streaming/sources/pull/pull-sources.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { IngestWorker } from './ingest-worker.ts';
import { SILENT, TopicBed } from './topic-bed.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const topics = new TopicBed();
let outside: Server;
let port = 0;
let directory = '';
let producer: KafkaProducer;
/** What the outside source does; each test sets its own. */
let answer: Handler = (_request, response) => response.end();
const requests: { readonly atMs: number; readonly url: string; readonly headers: IncomingMessage['headers'] }[] = [];

beforeAll(async () => {
  outside = createServer((request, response) => {
    requests.push({ atMs: Date.now(), url: request.url ?? '', headers: request.headers });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(outside, 'listening');
  const address = outside.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  directory = await mkdtemp(join(tmpdir(), 'pull-'));
  producer = new KafkaProducer({
    brokers: loadConfig().KAFKA_BROKERS,
    clientId: 'test-pull',
    logger: SILENT,
    queueBytes: 1 << 20,
  });
});

let running: PullSources | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
  requests.length = 0;
});
afterAll(async () => {
  outside.closeAllConnections();
  outside.close();
  await producer.close(5_000);
  await rm(directory, { recursive: true });
  await topics.cleanUp();
});

/** Shaped like OpenWeatherMap's reply for several stations. */
const weather = (dt: number, temp: string) =>
  `{"cnt":2,"list":[{"id":2950159,"name":"Berlin","dt":${dt},"main":{"temp":${temp},"pressure":1013},"wind":{"speed":3.10}},{"id":2867714,"name":"Munich","dt":${dt},"main":{"temp":17}}]}`;

async function sourcesFile(change: object = {}): Promise<string> {
  const source = {
    name: 'weather',
    url: `http://127.0.0.1:${port}/data/2.5/group?appid=\${WEATHER_KEY}`,
    headers: { 'x-key': 'Bearer ${WEATHER_KEY}' },
    intervalSeconds: 0.2,
    timeoutSeconds: 1,
    retries: 2,
    records: 'list[*]',
    sensorId: 'owm.{id}.{measure}',
    createdAt: { path: 'dt', format: 'epoch-seconds' },
    measures: [
      { name: 'temperature', value: 'main.temp', unit: '°C' },
      { name: 'wind-speed', value: 'wind.speed', unit: 'm/s' },
    ],
    ...change,
  };
  const path = join(directory, `${crypto.randomUUID()}.json`);
  await writeFile(path, JSON.stringify({ sources: [source] }));
  return path;
}

async function start(change: object = {}) {
  const topic = await topics.create('pull');
  const log: { msg: string; level: number; code?: string }[] = [];
  const logger = pino(
    { level: 'info' },
    { write: (line: string) => log.push(JSON.parse(line) as (typeof log)[number]) },
  );
  const metrics = createMetrics('test');
  running = startPullSources({
    sources: await readPullSources(await sourcesFile(change), { WEATHER_KEY: 's3cret' }),
    producer,
    topic,
    logger,
    metrics,
    limits: { maxBytes: 65_536, maxAheadMs: 3_600_000 },
  });
  return { topic, log, metrics };
}

const now = () => Math.floor(Date.now() / 1_000);

describe('a polled source', () => {
  it('gives its observations as readings, each once however often it is in a reply', async () => {
    const dt = now();
    answer = (_request, response) => response.end(weather(dt, '18.50'));
    const { topic, metrics } = await start();
    await eventually('polled a few times', () => requests.length >= 4);
    answer = (_request, response) => response.end(weather(dt + 1, '18.60'));
    await eventually('polled again', () => requests.length >= 7);
    await running?.stop();
    const stored = (await topics.read(topic)).map(({ key, value }) => {
      const envelope = JSON.parse(value.toString()) as { payload: string; created_at: number };
      return [key, envelope.created_at - dt, envelope.payload];
    });
    expect(stored.sort()).toEqual([
      ['owm.2867714.temperature', 0, expect.stringContaining('"modality": 17,') as string],
      ['owm.2867714.temperature', 1, expect.stringContaining('"modality": 17,') as string],
      ['owm.2950159.temperature', 0, expect.stringContaining('"modality": 18.50, "unit": "°C"') as string],
      ['owm.2950159.temperature', 1, expect.stringContaining('"modality": 18.60, "unit": "°C"') as string],
      ['owm.2950159.wind-speed', 0, expect.stringContaining('"modality": 3.10, "unit": "m/s"') as string],
      ['owm.2950159.wind-speed', 1, expect.stringContaining('"modality": 3.10, "unit": "m/s"') as string],
    ]);
    expect(requests[0]).toMatchObject({ url: '/data/2.5/group?appid=s3cret', headers: { 'x-key': 'Bearer s3cret' } });
    expect(await metrics.metrics()).toContain(
      'powergrid_pull_readings_total{source="weather",result="accepted",process="test"} 6',
    );
  });

  it.each<[string, string, (text: string) => Buffer]>([
    ['a byte order mark', 'application/json', (text) => Buffer.from(`\uFEFF${text}`)],
    ['ISO 8859-1', 'application/json; charset=ISO-8859-1', (text) => Buffer.from(text, 'latin1')],
    ['UTF-16', 'application/json; charset=utf-16', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ])('may answer in %s', async (_what, contentType, encode) => {
    const reply = weather(now(), '20').replaceAll('"id":2950159', '"id":"Mühle"');
    answer = (_request, response) => response.writeHead(200, { 'content-type': contentType }).end(encode(reply));
    const { topic } = await start();
    await eventually('stored', async () => (await topics.read(topic)).length >= 3);
    const keys = (await topics.read(topic)).map(({ key }) => key);
    expect(keys.sort()).toEqual(['owm.2867714.temperature', 'owm.Mühle.temperature', 'owm.Mühle.wind-speed']);
  });

  it('that is asked too often is left alone for as long as it says', async () => {
    let polls = 0;
    const reply = weather(now(), '1');
    answer = (_request, response) => {
      if (++polls === 1) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.end(reply);
    };
    const { topic } = await start({ intervalSeconds: 5 });
    await eventually('stored', async () => (await topics.read(topic)).length === 3);
    const [first, second] = requests;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(1_000);
  });

  it.each<[string, Handler, string]>([
    ['fails', (_request, response) => response.writeHead(500).end(), 'source-unavailable'],
    ['hangs', () => undefined, 'source-unavailable'],
    ['cuts connections', (request) => request.socket.destroy(), 'source-unavailable'],
    ['refuses the key', (_request, response) => response.writeHead(401).end(), 'source-refused'],
    ['answers with something else', (_request, response) => response.end('<html>'), 'malformed-source-data'],
    [
      'answers in Latin-1 without saying so',
      (_request, response) => response.end(Buffer.from(weather(now(), '1').replace('Berlin', 'Köln'), 'latin1')),
      'malformed-source-data',
    ],
    ['answers too much', (_request, response) => response.end('['.padEnd(5_000)), 'malformed-source-data'],
  ])(
    'that %s is told of once, without its key, and is taken up again when it is back',
    async (_what, handler, code) => {
      answer = handler;
      const { topic, log, metrics } = await start({ timeoutSeconds: 0.3, retries: 1, maxReplyBytes: 2_000 });
      await eventually('two polls failed', async () =>
        /powergrid_pull_polls_total\{source="weather",result="(?!ok)[\w-]+",process="test"\} [2-9]/.test(
          await metrics.metrics(),
        ),
      );
      expect(log.filter(({ level }) => level >= 40)).toMatchObject([{ code }]);
      expect(await metrics.metrics()).toContain('powergrid_pull_source_up{source="weather",process="test"} 0');
      answer = (_request, response) => response.end(weather(now(), '1'));
      await eventually('stored', async () => (await topics.read(topic)).length >= 3);
      expect(log.map(({ msg }) => msg)).toContain('the source answers again');
      expect(JSON.stringify(log)).not.toContain('s3cret');
    },
  );

  it('that sends readings which are none loses only those, and is told of once', async () => {
    const reply = weather(5, '1').replace('"dt":5', `"dt":${now()}`);
    answer = (_request, response) => response.end(reply);
    const { topic, log } = await start();
    await eventually('stored', async () => (await topics.read(topic)).length === 2);
    await eventually('polled a few times', () => requests.length >= 4);
    expect(log.filter(({ level }) => level >= 40)).toHaveLength(1);
  });
});

it('the ingest worker polls the sources of its file', async () => {
  answer = (_request, response) => response.end(weather(now(), '20'));
  const names = { TOPIC_INGESTION: topics.name('pull-worker'), TOPIC_UNORGANIZED: topics.name('pull-worker-raw') };
  const worker = await IngestWorker.start({
    ...names,
    TOPIC_DLQ: topics.name('pull-worker-dlq'),
    TOPIC_AGGREGATES: topics.name('pull-worker-agg'),
    PULL_SOURCES_FILE: await sourcesFile(),
    WEATHER_KEY: 's3cret',
  });
  await worker.untilReady();
  await eventually('stored', async () => (await topics.read(names.TOPIC_INGESTION)).length >= 3);
  expect(await worker.process.stop()).toEqual({ code: 0, signal: null });
  expect(worker.process.output).not.toContain('s3cret');
});
