import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';
import { KafkaFeed } from '../support/kafka-feed.ts';
import { makeEnvelope } from '../support/readings.ts';
import { REDIS_DATABASES } from '../support/redis-databases.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { cleanUp, ownNames, post, ServingBed } from '../serving/serving-bed.ts';

const { name, environment: own } = ownNames('alarms', REDIS_DATABASES.alarms);
const SECRET = 'Bearer not-to-be-told';
const RULES = [
  {
    id: 'range',
    kind: 'out-of-range',
    severity: 'critical',
    match: { sensorIds: [1] },
    above: { raise: '50.2', clear: '50.1' },
  },
  { id: 'stuck', kind: 'stuck', match: { sensorIds: [2] }, forSeconds: 60 },
  { id: 'rate', kind: 'rate-of-change', match: { sensorIds: [3] }, change: { raise: 5, clear: 1 } },
  {
    id: 'forecast',
    kind: 'forecast-missed',
    match: { sensorIds: [4] },
    off: { raise: 10, clear: 5 },
    of: 'percent',
    withinSeconds: 30,
  },
  { id: 'stale', kind: 'stale', match: { sensorIds: [5] }, times: 1, leastSeconds: 10 },
];
const KINDS = RULES.map(({ id }) => id).sort();
/** Long enough ago that a sensor which was last heard then is silent. */
const START_S = Math.floor(Date.now() / 1_000) - 600;

interface Posted {
  readonly authorization: string | undefined;
  readonly body: z.output<typeof changeSchema>;
}
const changeSchema = z.object({
  event_id: z.number(),
  alarm_id: z.number(),
  change: z.string(),
  rule: z.string(),
  sensor_id: z.string(),
  at: z.string(),
  value: z.string(),
  limit: z.string(),
  acknowledged_by: z.string().nullable(),
});
const alarmSchema = z.object({
  id: z.string(),
  rule: z.string(),
  state: z.string(),
  raisedAt: z.string(),
  value: z.string(),
  limit: z.string(),
  cleared: z.object({ at: z.string() }).nullable(),
});

let bed: ServingBed;
let feed: KafkaFeed;
let webhook: Server;
let directory: string;
let environment: Record<string, string>;
let isWebhookWell = false;
let refusedPosts = 0;
const posted: Posted[] = [];
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  webhook = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (!isWebhookWell) refusedPosts++;
      else {
        const body = changeSchema.parse(JSON.parse(Buffer.concat(parts).toString('utf8')));
        posted.push({ authorization: request.headers.authorization, body });
      }
      response.writeHead(isWebhookWell ? 204 : 503).end();
    });
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  directory = await mkdtemp(join(tmpdir(), 'alarms-'));
  await writeFile(join(directory, 'rules.json'), JSON.stringify({ rules: RULES }));
  environment = {
    ...own,
    SPEED_SINKS: 'alarms',
    SPEED_METRICS_PORT: '0',
    ALARM_RULES: join(directory, 'rules.json'),
    ALARM_GRACE_SECONDS: '0',
    ALARM_WEBHOOK_URL: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/hook?key=not-to-be-told`,
    ALARM_WEBHOOK_AUTHORIZATION: SECRET,
    SINK_RETRY_MAX_DELAY_MS: '1000',
  };
  bed = await ServingBed.start(environment);
  feed = new KafkaFeed(bed.config.KAFKA_BROKERS);
  await bed.makeTopics(2);
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  webhook.close();
  webhook.closeAllConnections();
  await feed.close();
  await bed.stop();
  await cleanUp(environment);
  await rm(directory, { recursive: true, force: true });
});

/** A reading of so many seconds after the start, as a message that Kafka got then, or so many seconds from now. */
function reading(
  sensorId: string,
  atSeconds: number,
  modality: string,
  more: { aspect?: 'edge_prediction'; appendedMs?: number } = {},
) {
  const { aspect = 'real_time', appendedMs = (START_S + atSeconds) * 1_000 } = more;
  const value = makeEnvelope({ sensorId, modality, createdAt: String(START_S + atSeconds), aspect });
  return { key: sensorId, value, timestamp: String(appendedMs) };
}

/** A worker in a group of its own, so that it need not wait for a dead member, and competes with the one before. */
function startWorker(): void {
  workers.push(
    new WorkerProcess('npm:worker:speed', { ...environment, CONSUMER_GROUP_PREFIX: `${name}-${workers.length}` }),
  );
}

async function alarms(state: string): Promise<z.output<typeof alarmSchema>[]> {
  const answer = await bed.ask(`/api/alarms?state=${state}`);
  return z.object({ alarms: z.array(alarmSchema) }).parse(answer.json).alarms;
}

async function changesInTopic(): Promise<z.output<typeof changeSchema>[]> {
  return [...(await feed.readTopic(bed.config.TOPIC_ALARMS)).values()].map((value) =>
    changeSchema.parse(JSON.parse(value)),
  );
}

const iso = (atSeconds: number): string => new Date((START_S + atSeconds) * 1_000).toISOString();

it('alarms of each kind are raised and cleared once, with the reading’s own time, whatever is killed, and told of to topic and webhook', async () => {
  const repeated = reading('1', 3, '50.3');
  const raising = [
    ...[reading('1', 1, '50.2'), repeated, repeated, reading('1', 2, '49'), reading('1', 4, '50.15')],
    ...[reading('2', 0, '7'), reading('2', 30, '7.0'), reading('2', 61, '7')],
    ...[reading('3', 0, '100'), reading('3', 10, '150'), reading('3', 11, '156')],
    ...[reading('4', 0, '100'), reading('4', 10, '100', { aspect: 'edge_prediction' }), reading('4', 11, '110.1')],
    ...[0, 1, 2, 3, 4].map((at) => reading('5', at, '1')),
    { key: '1', value: 'no envelope', timestamp: String(START_S * 1_000) },
  ];
  await feed.send(bed.config.TOPIC_INGESTION, raising);
  startWorker();
  const raised = await eventually('an alarm of each kind is open', async () => {
    expect(workers[0]?.isRunning, workers[0]?.output).toBe(true);
    const open = await alarms('open');
    return open.length >= KINDS.length ? open : undefined;
  });
  expect(Object.fromEntries(raised.map((alarm) => [alarm.rule, [alarm.raisedAt, alarm.value, alarm.limit]]))).toEqual({
    range: [iso(3), '50.3', '> 50.2'],
    stuck: [iso(61), '7', 'unchanged for 60 s'],
    rate: [iso(11), '156', '> 5 per second'],
    forecast: [iso(11), '110.1', 'off by > 10 %'],
    stale: [iso(4), '1', 'silent for 10 s'],
  });
  await eventually('the webhook has refused', () => refusedPosts > 0);

  // Somebody has seen one.
  const range = raised.find(({ rule }) => rule === 'range');
  const path = `/api/alarms/${range?.id ?? ''}/acknowledge`;
  expect(await bed.ask(path, post({}))).toMatchObject({ status: 200, json: { state: 'acknowledged', rule: 'range' } });
  expect((await bed.ask(path, post({}))).status).toBe(200);
  expect((await bed.ask('/api/alarms/999999999999/acknowledge', post({}))).status).toBe(404);
  expect((await alarms('acknowledged')).map(({ rule }) => rule)).toEqual(['range']);

  // Another worker comes, neither knows of the other, and the first is killed in the middle.
  startWorker();
  const laterMs = Date.now() + 1_800_000;
  const late = ['60', '40', '55'].map((value, index) => reading('1', index, value));
  await feed.send(bed.config.TOPIC_INGESTION, [...raising, ...late]);
  await workers[0]?.kill();
  await feed.send(bed.config.TOPIC_INGESTION, [
    ...[reading('1', 100, '50.1'), reading('1', 101, '50.15'), ...late],
    ...[reading('2', 100, '7.1'), reading('2', 101, '7.2')],
    ...[reading('3', 100, '157'), reading('3', 101, '158')],
    ...[reading('4', 100, '100', { aspect: 'edge_prediction' }), reading('4', 101, '101')],
    // Long from now, so that it is not silent again at once.
    reading('5', 100, '1', { appendedMs: laterMs }),
    ...raising,
  ]);
  await eventually('all are cleared', async () => {
    expect(workers[1]?.isRunning, workers[1]?.output).toBe(true);
    return (await alarms('cleared')).length >= KINDS.length && (await alarms('open')).length === 0;
  });
  const group = `${name}-1.alarms`;
  await eventually('all is read', async () => (await feed.lag(group, bed.config.TOPIC_INGESTION)) === 0);
  const cleared = await alarms('all');
  expect(Object.fromEntries(cleared.map((alarm) => [alarm.rule, alarm.cleared?.at]))).toEqual({
    ...{ range: iso(100), stuck: iso(100), rate: iso(100), forecast: iso(101), stale: iso(100) },
  });
  expect(cleared.map(({ rule }) => rule).sort()).toEqual(KINDS);

  isWebhookWell = true;
  const expected = [...KINDS.flatMap((rule) => [`${rule} cleared`, `${rule} raised`]), 'range acknowledged'].sort();
  const told = (changes: readonly z.output<typeof changeSchema>[]): string[] => {
    const once = new Map(changes.map((change) => [change.event_id, `${change.rule} ${change.change}`]));
    return [...once.values()].sort();
  };
  await eventually('topic and webhook have every change', async () => {
    expect(told(await changesInTopic())).toEqual(expected);
    expect(told(posted.map(({ body }) => body))).toEqual(expected);
    return true;
  });
  expect(new Set(posted.map(({ authorization }) => authorization))).toEqual(new Set([SECRET]));
  for (const changes of [posted.map(({ body }) => body), await changesInTopic()]) {
    const first = new Set<number>();
    const ofRange = changes.filter(({ rule, event_id: id }) => rule === 'range' && !first.has(id) && first.add(id));
    expect(ofRange.map(({ change }) => change)).toEqual(['raised', 'acknowledged', 'cleared']);
  }
  for (const { output } of workers) expect(output).not.toMatch(/not-to-be-told/);
  expect(await workers[1]?.stop()).toEqual({ code: 0, signal: null });
});
