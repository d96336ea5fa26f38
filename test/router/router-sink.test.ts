import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKafka } from '../../connectors/kafka/client.ts';
import type { ConsumedRecord } from '../../connectors/kafka/consume/consumed.ts';
import { TopicDirectory } from '../../connectors/kafka/topics/topic-directory.ts';
import { TransactionalWriter } from '../../connectors/kafka/produce/transactional-writer.ts';
import type { ErrorCode } from '../../grid/errors.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createMetrics, type Registry } from '../../runtime/metrics.ts';
import type { Routes } from '../../streaming/routes/routes-file.ts';
import { createRouterSink } from '../../streaming/sinks/router/router-sink.ts';
import { RouterTopics } from '../../streaming/sinks/router/router-topics.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics, type ReadRecord } from '../support/kafka-topics.ts';
import { batchOf, contextOf, LIMITS, routesOf, SILENT } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';

const brokers = loadConfig().KAFKA_BROKERS;
const topics = new KafkaTopics(brokers);
const kafka = createKafka({ brokers, clientId: 'test-router', logger: SILENT });
const directory = new TopicDirectory(kafka, 10_000);

/** Topics, a consumer group and routes of a test's own. */
interface Place {
  readonly source: string;
  readonly deadLetters: string;
  readonly copies: string;
  readonly group: string;
  readonly routes: Routes;
}

let place: Place;

/** A broker that was just made makes its transaction log at the first transaction, and refuses until then. */
beforeAll(() =>
  eventually('the transaction coordinator answers', async () => {
    const producer = kafka.producer({
      transactionalId: `test-${randomUUID()}`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    try {
      await (await producer.transaction()).abort();
    } finally {
      await producer.disconnect();
    }
    return true;
  }),
);

beforeEach(async () => {
  const id = randomUUID().slice(0, 6);
  const copies = topics.name(`${id}.SENSOR_ID_6`);
  place = {
    source: topics.name(`${id}.INGESTION`),
    deadLetters: topics.name(`${id}.DLQ`),
    copies,
    group: `test-${id}`,
    routes: routesOf({ routes: [{ name: 'six', match: { sensorIds: [6] }, topic: copies }] }),
  };
  await topics.create(place.source, 2);
});

afterAll(async () => {
  await directory.close();
  await topics.remove();
});

function makeRouter(options: { routes?: Routes; metrics?: Registry } = {}, partition = 0) {
  const { source, deadLetters, group } = place;
  const made = new RouterTopics({
    kafka,
    sourceTopic: source,
    deadLetterTopic: deadLetters,
    partitions: 3,
    replicationFactor: 1,
    retentionMs: -1,
    logger: SILENT,
  });
  const create = createRouterSink({
    createWriter: (transactionalId) =>
      new TransactionalWriter({
        kafka,
        topics: directory,
        limits: made.limits,
        makeTopic: (topic) => made.make(topic),
        transactionalId,
        timeoutMs: 20_000,
      }),
    deadLetterTopic: deadLetters,
    deadLetterMaxBytes: () => made.deadLetterMaxBytes(),
    routes: options.routes ?? place.routes,
    limits: LIMITS,
    logger: SILENT,
    metrics: options.metrics ?? createMetrics('test'),
  });
  const context = contextOf(group, source, partition);
  return { router: create(context), context };
}

const text = (record: ReadRecord | undefined, header: string) => String(record?.headers[header]);
const payload = (fields: string) => JSON.stringify(`{${fields}}`);
const good = '"sensor_id": 7, "modality": 1, "unit": "MW", "temporal_aspect": "real_time"';
const envelope = (fields: { payload?: string; id?: string; at?: string; version?: string }) =>
  `{"payload":${fields.payload ?? payload(good)},"correlation_id":${fields.id ?? '"c"'},"created_at":${fields.at ?? '1694902173.5'},"schema_version":${fields.version ?? '1'}}`;

describe('what cannot be read goes to the dead-letter topic', () => {
  const BAD: readonly (readonly [ErrorCode, string | Buffer | null])[] = [
    ['empty-record', null],
    ['empty-record', ''],
    ['invalid-encoding', Buffer.concat([Buffer.from('{"payload":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])],
    ['malformed-json', '{"payload":'],
    ['malformed-json', 'just text'],
    ['not-an-envelope', '[1,2]'],
    ['not-an-envelope', '"text"'],
    ['malformed-payload', envelope({ payload: '"{"' })],
    ['missing-field', '{}'],
    ['missing-field', envelope({ payload: payload('"sensor_id": 7') })],
    ['wrong-type', envelope({ payload: '7' })],
    ['wrong-type', envelope({ id: '7' })],
    ['not-a-number', envelope({ payload: payload(good.replace('1', 'NaN')) })],
    ['not-a-number', envelope({ at: '1e999' })],
    ['invalid-sensor-id', envelope({ payload: payload(good.replace('7', '-7')) })],
    ['unknown-aspect', envelope({ payload: payload(good.replace('real_time', 'yesterday')) })],
    ['unknown-schema-version', envelope({ version: '2' })],
    ['event-time-too-old', envelope({ at: '0' })],
    ['event-time-too-far-ahead', envelope({ at: '99999999999' })],
    ['oversized-record', `{"payload":"${' '.repeat(70_000)}"}`],
  ];

  test('with its code and place, whatever is wrong with it, and the stream goes on', async () => {
    const metrics = createMetrics('test');
    const { router } = makeRouter({ metrics }, 1);
    await router.open();
    const key = Buffer.from('7');
    // A good reading after each bad one.
    const records = BAD.flatMap(([, value]): Partial<ConsumedRecord>[] => [
      { key, value: typeof value === 'string' ? Buffer.from(value) : value, headers: { trace: Buffer.from('t') } },
      { key, value: Buffer.from(envelope({})) },
    ]);
    await router.process(batchOf(place.source, records, 500, 1));
    await router.close({ kind: 'stopped' });

    const letters = (await topics.read(place.deadLetters)).sort(
      (a, b) => Number(text(a, 'source-offset')) - Number(text(b, 'source-offset')),
    );
    expect(letters.map((letter) => [text(letter, 'error-code'), text(letter, 'source-offset')])).toEqual(
      BAD.map(([code], index) => [code, String(500 + 2 * index)]),
    );
    for (const [index, letter] of letters.entries()) {
      const [, value] = BAD[index] ?? [];
      expect(letter.key).toEqual(key);
      expect(letter.value).toEqual(typeof value === 'string' ? Buffer.from(value) : value);
      expect(text(letter, 'trace')).toBe('t');
      expect(text(letter, 'source-topic')).toBe(place.source);
      expect(text(letter, 'source-partition')).toBe('1');
      expect(text(letter, 'error-detail').length).toBeGreaterThan(10);
    }
    expect(await topics.committedOffset(place.group, place.source, 1)).toBe(500 + 2 * BAD.length);
    const exposition = await metrics.metrics();
    expect(exposition).toMatch(/powergrid_router_dead_letters_total\{code="wrong-type".*\} 2/);
    expect(exposition).toMatch(new RegExp(`powergrid_router_unmatched_readings_total\\{.*\\} ${BAD.length}`));
  });

  test('whole, also when it is as large as the source takes', async () => {
    const { router } = makeRouter();
    await router.open();
    const value = Buffer.alloc(1_048_000, 'x');
    const headers = { big: Buffer.alloc(400, 'h') };
    await router.process(batchOf(place.source, [{ value, headers }, 'small']));
    await router.close({ kind: 'stopped' });
    const letters = await topics.read(place.deadLetters);
    expect(letters.map((letter) => letter.value?.length).sort()).toEqual([1_048_000, 5]);
    expect(letters.every((letter) => letter.headers['shortened'] === undefined)).toBe(true);
  });

  test('shortened, and saying so, where the topic was made by others and takes only small records', async () => {
    await topics.create(place.deadLetters, 1, { 'max.message.bytes': '5000' });
    const { router } = makeRouter();
    await router.open();
    await router.process(batchOf(place.source, ['bad', Buffer.alloc(20_000, 'x')], 10));
    await router.close({ kind: 'stopped' });
    const letters = await topics.read(place.deadLetters);
    expect(letters.map((letter) => text(letter, 'source-offset'))).toEqual(['10', '11']);
    expect(letters[1]?.value?.length).toBeGreaterThan(3_000);
    expect(text(letters[1], 'shortened')).toContain('20000 bytes');
  });
});

describe('a reading whose route names a topic', () => {
  test('is copied there unchanged: key, bytes, headers; all others are not', async () => {
    const { router, context } = makeRouter();
    await router.open();
    const six = Buffer.from(makeEnvelope({ sensorId: '6' }));
    const headers = { replayed: Buffer.from([0, 1, 0xff]), twice: [Buffer.from('a'), Buffer.from('b')] };
    await router.process(
      batchOf(place.source, [
        makeEnvelope({ sensorId: '60' }),
        { key: Buffer.from('6'), value: six, headers },
        { value: six },
      ]),
    );
    await router.close({ kind: 'stopped' });
    const copies = await topics.read(place.copies);
    expect(copies.map(({ key, value }) => [key, value])).toEqual(
      expect.arrayContaining([
        [Buffer.from('6'), six],
        [null, six],
      ]),
    );
    expect(copies).toHaveLength(2);
    expect(copies.find(({ key }) => key !== null)?.headers).toEqual(headers);
    expect(await topics.committedOffset(place.group, place.source, 0)).toBe(3);
    expect(context.committed).toEqual([0]);
  });

  test('stays in order, in one partition', async () => {
    const { router } = makeRouter();
    await router.open();
    const values = Array.from({ length: 2_500 }, () => makeEnvelope({ sensorId: '6' }));
    const records = values.map((value) => ({ key: Buffer.from('6'), value: Buffer.from(value) }));
    await router.process(batchOf(place.source, records));
    await router.close({ kind: 'stopped' });
    const copies = await topics.read(place.copies);
    expect(copies.map(({ value }) => value?.toString())).toEqual(values);
    expect(new Set(copies.map(({ partition }) => partition)).size).toBe(1);
  });

  test('is not copied when that topic is the source itself, which would go round for ever', async () => {
    const routes = routesOf({ routes: [{ name: 'loop', match: { sensorIds: [6] }, topic: place.source }] });
    const { router, context } = makeRouter({ routes });
    await router.open();
    await router.process(batchOf(place.source, [makeEnvelope({ sensorId: '6' })]));
    await router.close({ kind: 'stopped' });
    expect(await topics.read(place.source)).toEqual([]);
    expect(context.committed).toEqual([1]);
  });
});

describe('exactly once', () => {
  test('a batch from which nothing follows is committed without a transaction', async () => {
    const { router, context } = makeRouter();
    await router.open();
    await router.process(batchOf(place.source, [makeEnvelope({ sensorId: '7' })], 8));
    await router.close({ kind: 'stopped' });
    expect(context.committed).toEqual([9]);
    expect(await topics.read(place.deadLetters)).toEqual([]);
  });

  test('a transaction that fails half-way leaves nothing, and its repetition gives each record once', async () => {
    await topics.create(place.copies, 1, { 'max.message.bytes': '200' });
    const batch = batchOf(place.source, [
      'bad',
      { key: Buffer.from('6'), value: Buffer.from(makeEnvelope({ sensorId: '6' })) },
    ]);
    const first = makeRouter().router;
    await first.open();
    await expect(first.process(batch)).rejects.toMatchObject({ code: 'kafka-refused' });
    await first.close({ kind: 'failed', error: expect.anything() as never });
    expect(await topics.committedOffset(place.group, place.source, 0)).toBe(-1);
    expect(await topics.read(place.deadLetters)).toEqual([]);
    // It had been written, in the transaction that was aborted.
    expect(await topics.read(place.deadLetters, 'uncommitted')).toHaveLength(1);

    await topics.configure(place.copies, { 'max.message.bytes': '1000000' });
    const second = makeRouter().router;
    await second.open();
    await second.process(batch);
    await second.close({ kind: 'stopped' });
    expect(await topics.read(place.deadLetters)).toHaveLength(1);
    expect(await topics.read(place.copies)).toHaveLength(1);
    expect(await topics.committedOffset(place.group, place.source, 0)).toBe(2);
  });

  test('a worker whose partition was taken over can write nothing any more', async () => {
    const [zombie, owner] = [makeRouter().router, makeRouter().router];
    const batch = batchOf(place.source, ['bad']);
    await zombie.open();
    await zombie.process(batch);
    await owner.open();
    await expect(zombie.process(batchOf(place.source, ['worse'], 1))).rejects.toMatchObject({
      code: 'fenced',
      retryable: true,
    });
    await owner.process(batchOf(place.source, ['worse'], 1));
    await owner.process(batchOf(place.source, ['worst'], 2));
    await Promise.all([zombie.close({ kind: 'revoked' }), owner.close({ kind: 'stopped' })]);
    const letters = await topics.read(place.deadLetters);
    expect(letters.map(({ value }) => value?.toString()).sort()).toEqual(['bad', 'worse', 'worst']);
    expect(await topics.committedOffset(place.group, place.source, 0)).toBe(3);
  });

  test('a worker that is no longer in the group does not begin a transaction', async () => {
    const { router, context } = makeRouter();
    await router.open();
    context.commitOffset = () => Promise.reject(new Error('UNKNOWN_MEMBER_ID'));
    await expect(router.process(batchOf(place.source, ['bad']))).rejects.toThrow('UNKNOWN_MEMBER_ID');
    await router.close({ kind: 'revoked' });
    expect(await topics.read(place.deadLetters, 'uncommitted')).toEqual([]);
  });
});
