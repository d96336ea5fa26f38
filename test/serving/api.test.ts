import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../infra/native/ports.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { openStores, type OpenStores } from '../../workers/serving/open-stores.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics } from '../support/kafka-topics.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { SILENT } from '../ingest/topic-bed.ts';
import { foldNext, publish, recomputed, shown, type ModelLog, type ModelReading } from './model-layers.ts';
import { askAt, cleanUp, ownNames, post, type Answer } from './serving-bed.ts';

/** The worker as a process, the speed layer beside it, and a proxy in front of each store that it asks. */
const { name, environment } = ownNames('api', REDIS_DATABASES.servingApi);
const shared = loadConfig();
const topics = new KafkaTopics(shared.KAFKA_BROKERS);
const READINGS = 40;
const START_S = Math.floor(Date.now() / 3_600_000) * 3_600 - 4 * 3_600;

let proxies: Record<'postgres' | 'redis' | 'mongodb' | 'temporal' | 'kafka', TcpProxy>;
let speed: WorkerProcess;
let serving: WorkerProcess;
let direct: OpenStores;
let url: string;
let log: ModelLog;

const ask = (path: string, init?: RequestInit): Promise<Answer> => askAt(url, path, init);

beforeAll(async () => {
  const proxyOf = async (address: string, port: number): Promise<TcpProxy> => {
    const at = new URL(address);
    return TcpProxy.start({ targetHost: at.hostname, targetPort: Number(at.port || port) });
  };
  proxies = {
    postgres: await proxyOf(shared.SERVING_DATABASE_URL, 5_432),
    redis: await proxyOf(shared.REDIS_URL, 6_379),
    mongodb: await proxyOf(shared.MONGODB_URL, 27_017),
    temporal: await proxyOf(`http://${shared.TEMPORAL_ADDRESS[0] ?? ''}`, 7_233),
    // Brokers tell their own address: this stands in front of the first question alone.
    kafka: await proxyOf(`http://${shared.KAFKA_BROKERS[0] ?? ''}`, 9_092),
  };
  await proxies.kafka.refuse();
  const through = (address: string, proxy: TcpProxy): string => {
    const at = new URL(address);
    at.hostname = '127.0.0.1';
    at.port = String(proxy.port);
    return at.href;
  };
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  for (const topic of [
    environment.TOPIC_INGESTION,
    environment.TOPIC_DLQ,
    environment.TOPIC_AGGREGATES,
    environment.TOPIC_UNORGANIZED,
  ])
    await topics.create(topic, 2, { 'message.timestamp.type': 'LogAppendTime' });
  serving = new WorkerProcess('npm:worker:serving', {
    ...environment,
    HTTP_PORT: String(port),
    SERVING_DATABASE_URL: through(shared.SERVING_DATABASE_URL, proxies.postgres),
    REDIS_URL: through(environment.REDIS_URL, proxies.redis),
    MONGODB_URL: through(shared.MONGODB_URL, proxies.mongodb),
    TEMPORAL_ADDRESS: proxies.temporal.address,
    KAFKA_BROKERS: proxies.kafka.address,
    SERVING_QUERY_TIMEOUT_MS: '6000',
    ACCESS_REQUESTS_PER_SECOND: '10000',
  });
  speed = new WorkerProcess('npm:worker:speed', {
    ...environment,
    SPEED_SINKS: 'hdfs,redis,mongodb,router',
    SPEED_METRICS_PORT: '0',
    HDFS_ROTATE_SECONDS: '1',
  });
  direct = openStores(loadConfig(environment), SILENT, createMetrics('test'));
  await eventually('the worker answers', async () => (await ask('/healthz')).status === 200);
  await direct.database.migrate();

  const readings: ModelReading[] = Array.from({ length: READINGS }, (_, index) => {
    const seconds = START_S + index * 300;
    return {
      ...{
        sensorId: '6',
        unit: 'MW',
        modality: `${index}.10`,
        createdAt: `${seconds}.5`,
        eventTimeMs: seconds * 1_000 + 500,
      },
      aspect: index % 10 === 9 ? 'edge_prediction' : 'real_time',
      correlationId: randomUUID(),
    };
  });
  log = { partitions: [readings], segments: [[0, 20]] };
  await topics.send(environment.TOPIC_INGESTION, [
    ...readings.map((reading) => ({ key: '6', value: makeEnvelope(reading) })),
    { key: '6', value: '{"no": "envelope"}' },
  ]);
  // The windows of the same readings: half in a batch view, a part of the rest in the speed view.
  await foldNext(direct.database, log, 0, 35);
  await publish(direct.database, log, [19]);
});

afterAll(async () => {
  await Promise.all([
    serving.stop(),
    speed.stop(),
    direct.close(),
    ...Object.values(proxies).map((proxy) => proxy.close()),
  ]);
  await cleanUp(environment);
  expect(serving.output).not.toContain('"code":"defect"');
});

describe('the serving worker', () => {
  it('begins without Kafka: it says so, answers the rest, and goes on by itself when Kafka is there', async () => {
    expect(await ask('/api/dlq')).toMatchObject({ status: 503, json: { code: 'kafka-unavailable' } });
    await eventually('series', async () => (await ask('/api/sensors/6/series?from=now-1d')).status === 200);
    const { json } = await ask('/readyz');
    expect(JSON.stringify((json as { problems: string[] }).problems)).toContain('kafka is away');
    await proxies.kafka.pass();
    await eventually('nothing is missing', async () => {
      expect((await ask('/readyz')).json).toEqual({ ready: true, problems: [] });
      return true;
    });
  });

  it('answers windows of both layers, exactly, with what they rest on', async () => {
    const from = new Date(START_S * 1_000).toISOString();
    const { json } = await ask(`/api/sensors/6/series?resolution=hour&from=${from}&to=now%2D0s&zone=Europe/Berlin`);
    const answer = json as {
      windows: Record<string, unknown>[];
      provenance: { batch: { build: string }; boundary: unknown[]; speed: unknown[] };
      next: unknown;
    };
    const whole = recomputed(log, [35]);
    expect(answer.windows.length).toBeGreaterThan(2);
    for (const window of answer.windows) {
      const startMs = Date.parse(String(window['start']));
      const key = { sensorId: '6', aspect: 'real_time', unit: 'MW', resolution: 'hour', startMs };
      const expected = whole.get(JSON.stringify(key));
      expect(expected).toBeDefined();
      if (expected === undefined) continue;
      const { count, sum, min, max, firstValue, lastValue } = shown(expected);
      expect(window).toMatchObject({ count, sum, min, max, first: firstValue, last: lastValue });
      expect(String(window['start'])).toMatch(/\+0[12]:00$/);
    }
    expect(new Set(answer.windows.map((window) => window['part']))).toEqual(new Set(['batch', 'both', 'speed']));
    expect(answer.provenance).toMatchObject({
      boundary: [{ topic: 'MODEL', partition: 0, lastOffset: '19' }],
      speed: [{ topic: 'MODEL', partition: 0, nextOffset: '35' }],
    });
    expect(answer.next).toBeNull();
  });

  it('pages by cursor, and sends all as CSV or NDJSON, compressed, and unchanged only once', async () => {
    const path = `/api/sensors/6/series?resolution=minute&from=${new Date(START_S * 1_000).toISOString()}&to=now`;
    const starts: string[] = [];
    let cursor = '';
    do {
      const { json } = await ask(`${path}&limit=7&cursor=${cursor}`);
      const { windows, next } = json as { windows: { start: string }[]; next: string | null };
      starts.push(...windows.map(({ start }) => start));
      cursor = next ?? '';
    } while (cursor !== '');
    const lines = (await ask(`${path}&format=ndjson`)).text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { start: string }).start)).toEqual(starts);
    expect(new Set(starts).size).toBe(starts.length);
    const csv = await ask(path, { headers: { accept: 'text/csv' } });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(starts.length + 1);

    const fixed = `/api/sensors/6/series?resolution=hour&from=2020-01-01&to=2020-01-02`;
    const first = await ask(fixed);
    const again = await ask(fixed, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
    expect(again).toMatchObject({ status: 304, text: '' });
    const packed = await raw('/openapi.json', { 'accept-encoding': 'gzip' });
    expect(packed.encoding).toBe('gzip');
    expect(JSON.parse(gunzipSync(packed.body).toString())).toMatchObject({ openapi: '3.1.0' });
  });

  it('knows the newest value of each aspect, and how old that is for the sensor', async () => {
    await eventually('the newest values are in Redis', async () => {
      const { status, json } = await ask('/api/sensors/6/latest');
      if (status !== 200) return false;
      expect(json).toMatchObject({
        aspects: {
          real_time: { value: '38.10', unit: 'MW', createdAt: `${START_S + 38 * 300}.5`, cadenceMs: 300_000 },
          edge_prediction: { value: '39.10' },
        },
        problems: [],
      });
      return true;
    });
    expect((await ask('/api/sensors')).json).toMatchObject({
      sensors: [
        {
          sensorId: '6',
          series: [
            { aspect: 'edge_prediction', unit: 'MW' },
            { aspect: 'real_time', unit: 'MW' },
          ],
          newest: { real_time: { value: '38.10' } },
        },
      ],
      from: 'views',
    });
    expect(await ask('/api/sensors/none/latest')).toMatchObject({ status: 404, json: { code: 'not-found' } });
  });

  it('shows raw readings with their places, and the ledger of all', async () => {
    const path = `/api/sensors/6/readings?from=${new Date(START_S * 1_000).toISOString()}&to=now`;
    await eventually('all readings, each in its file', async () => {
      const { json } = await ask(path);
      const { readings } = json as {
        readings: { value: string; file: string | null; offset: number; topic: string }[];
      };
      expect(readings.map(({ value }) => value)).toEqual(log.partitions[0]?.map(({ modality }) => modality));
      expect(readings[0]?.file).toMatch(new RegExp(`^/test/${name}/${environment.TOPIC_INGESTION}/`));
      expect(readings.every(({ file }) => file !== null)).toBe(true);
      return true;
    });
    const pages = (await ask(`${path}&format=ndjson`)).text.trimEnd().split('\n');
    expect(pages).toHaveLength(READINGS);
    await eventually('the ledger is balanced', async () => {
      const { json } = await ask('/api/pipeline');
      expect(json).toMatchObject({
        ledger: {
          accepted: READINGS + 1,
          hdfs: { readings: READINGS, unreadable: 1, missing: 0, behind: 0, unaccounted: 0 },
          mongodb: { documents: READINGS },
          verdict: 'balanced',
        },
        problems: [],
      });
      return true;
    });
  });

  it('shows a dead letter as it came, and takes it in again when it is put right', async () => {
    const letters = await eventually('the dead letter', async () => {
      const { json } = await ask('/api/dlq');
      const found = (json as { letters: { partition: number; offset: number; code: string; text: string }[] }).letters;
      return found.length > 0 && found;
    });
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({ text: '{"no": "envelope"}', source: { topic: environment.TOPIC_INGESTION } });
    const at = `/api/dlq/${letters[0]?.partition}/${letters[0]?.offset}/reingest`;
    expect(await ask(at, post({ envelope: '{"still": "none"}' }))).toMatchObject({ status: 422 });
    expect(await ask('/api/dlq/0/999999/reingest', post({ envelope: '{}' }))).toMatchObject({ status: 404 });
    const mended = makeEnvelope({ sensorId: 'mended', modality: '7' });
    expect(await ask(at, post({ envelope: mended }))).toMatchObject({ status: 202, json: { sensorId: 'mended' } });
    await eventually('it is the newest value', async () => (await ask('/api/sensors/mended/latest')).status === 200);
  });

  it('starts, lists and cancels jobs, and does nothing without confirmation', async () => {
    const workflowId = `${name}-words`;
    const start = { workflowType: 'countWords', input: { path: '/texts' }, workflowId };
    expect(await ask('/api/jobs', post({ ...start, confirm: 'yes' }))).toMatchObject({
      status: 400,
      json: { code: 'invalid-input' },
    });
    expect(await ask('/api/jobs', post({ ...start, input: { path: 7 }, confirm: 'countWords' }))).toMatchObject({
      status: 400,
    });
    expect(await ask('/api/jobs', post({ ...start, confirm: 'countWords' }))).toMatchObject({
      status: 202,
      json: { workflowId },
    });
    const job = await eventually('it is listed', async () => {
      const { json } = await ask('/api/jobs?status=running');
      return (json as { jobs: { workflowId: string; url: string }[] }).jobs.find(
        (each) => each.workflowId === workflowId,
      );
    });
    expect(job.url).toContain(`/workflows/${workflowId}/`);
    expect(await ask(`/api/jobs/${workflowId}/retry`, post({ confirm: workflowId }))).toMatchObject({ status: 400 });
    expect(await ask(`/api/jobs/nobody/cancel`, post({ confirm: 'nobody' }))).toMatchObject({ status: 404 });
    expect(await ask(`/api/jobs/${workflowId}/cancel`, post({ confirm: workflowId }))).toMatchObject({ status: 202 });
    // No worker takes this queue: it is ended by hand.
    await direct.temporal.call('Ending the test', (client) => client.workflow.getHandle(workflowId).terminate());
  });
});

describe('a store that is away', () => {
  const SERIES = '/api/sensors/6/series';
  const LATEST = '/api/sensors/6/latest';
  const READ = '/api/sensors/6/readings?from=now-1d';
  const JOBS = '/api/jobs';
  const routes = [SERIES, LATEST, READ, JOBS, '/api/reports', '/api/dlq'];
  const cases = [
    { store: 'postgres', lost: [SERIES], code: 'serving-database-unavailable' },
    { store: 'redis', lost: [LATEST], code: 'redis-unavailable' },
    { store: 'mongodb', lost: [READ, '/api/reports'], code: 'mongodb-unavailable' },
    { store: 'temporal', lost: [JOBS], code: 'temporal-unavailable' },
  ] as const;

  it.each(cases)(
    '$store takes its own answers with it and no others, and they come back by themselves',
    async ({ store, lost, code }) => {
      await proxies[store].refuse();
      await eventually(`${store} is missed`, async () => {
        for (const route of routes) {
          const answer = await ask(route);
          if (lost.some((each) => each === route)) expect(answer).toMatchObject({ status: 503, json: { code } });
          else expect(answer).toMatchObject({ status: 200 });
        }
        const { json } = await ask('/readyz');
        const { ready, problems } = json as { ready: boolean; problems: string[] };
        expect(ready).toBe(true);
        expect(problems.filter((problem) => problem.startsWith(`${store} is away`))).toHaveLength(1);
        expect(await ask('/api/pipeline')).toMatchObject({ status: 200 });
        return true;
      });
      await proxies[store].pass();
      await eventually('all answers are back', async () => {
        for (const route of routes) expect(await ask(route)).toMatchObject({ status: 200 });
        expect((await ask('/readyz')).json).toEqual({ ready: true, problems: [] });
        return true;
      });
    },
  );
});

it('a database that hangs holds up no newest value', async () => {
  proxies.postgres.hang();
  const hanging = Array.from({ length: 10 }, () => ask('/api/sensors/6/series'));
  // A sensor whose cadence nobody has asked for.
  await topics.send(environment.TOPIC_INGESTION, [{ key: 'new', value: makeEnvelope({ sensorId: 'new' }) }]);
  await eventually('its newest value, without a cadence', async () => {
    const { status, json } = await ask('/api/sensors/new/latest');
    return status === 200 && JSON.stringify(json).includes('serving-database-unavailable');
  });
  for (const answer of await Promise.all(hanging)) expect(answer).toMatchObject({ status: 503 });
  await proxies.postgres.pass();
  await eventually('series are back', async () => (await ask('/api/sensors/6/series')).status === 200);
});

function raw(
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ encoding: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    http
      .get(`${url}${path}`, { headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) });
        });
      })
      .on('error', reject);
  });
}
