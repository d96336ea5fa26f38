import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bringUp, kill } from '../../infra/native/stack.ts';
import { makePrivateStack, removePrivateStack, type PrivateStack } from '../stack/private-stack.ts';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { IngestWorker, Load } from './ingest-worker.ts';
import { TopicBed } from './topic-bed.ts';

/** A broker of this test's own, which it may stop and kill. */
let stack: PrivateStack;
let worker: IngestWorker;
let topics: TopicBed;
const TOPIC = 'INGESTION';

beforeAll(async () => {
  stack = await makePrivateStack();
  topics = new TopicBed([`localhost:${stack.ports.kafka}`]);
  worker = await IngestWorker.start({
    KAFKA_BROKERS: `localhost:${stack.ports.kafka}`,
    INGEST_REPLY_TIMEOUT_MS: '3000',
    KAFKA_PRODUCER_QUEUE_BYTES: '200000',
  });
});
afterAll(async () => {
  await worker.process.stop();
  await removePrivateStack(stack);
});

const batch = (readings: number) => Array.from({ length: readings }, () => makeEnvelope()).join('\n');

/** Everything acknowledged lies in the topic exactly once. */
async function expectStored(acknowledged: readonly string[]): Promise<void> {
  const counts = new Map<string, number>();
  for (const value of await topics.values(TOPIC)) counts.set(value, (counts.get(value) ?? 0) + 1);
  expect(acknowledged.filter((envelope) => counts.get(envelope) !== 1)).toEqual([]);
}

// The tests are the stations of one worker's life, in order.
describe('an ingest worker that Kafka deserts', () => {
  it('starts without Kafka: it lives, is not ready, and sends readings away with a time to try again', async () => {
    expect((await fetch(worker.url('/healthz'))).status).toBe(200);
    const { status, problems } = await worker.readiness();
    expect(status).toBe(503);
    expect(problems[0]).toContain('Kafka');
    await eventually('requests are refused at once', async () => {
      const startedMs = Date.now();
      const answer = await worker.post(makeEnvelope());
      expect(answer).toMatchObject({ status: 503, retryAfter: '5' });
      return answer.body.code === 'kafka-unavailable' && Date.now() - startedMs < 1_000;
    });
  });

  it('is ready as soon as Kafka is there', async () => {
    await bringUp(['kafka'], stack);
    await worker.untilReady();
    await eventually('readings are taken', async () => {
      expect(await worker.post(batch(10))).toMatchObject({ status: 202, body: { accepted: 10 } });
      return true;
    });
  });

  it('loses and doubles nothing acknowledged when the broker is killed under load and comes back', async () => {
    const load = new Load(worker);
    await eventually('readings are taken', () => load.acknowledged.length > 2_000);
    expect(kill('kafka', 'SIGKILL', stack)).toBe(1);
    await eventually('senders are told', () => load.refused.includes(503));
    await bringUp(['kafka'], stack);
    const before = load.acknowledged.length;
    await eventually('readings are taken again', () => load.acknowledged.length > before + 1_000);
    await load.stop();
    expect(load.refused.every((status) => status === 503 || status === 429)).toBe(true);
    await expectStored(load.acknowledged);
  });

  it('answers in time while the broker hangs: 503 to who waits, 429 to who would not fit', async () => {
    await worker.untilReady();
    // What had waited in the outage before counts as well.
    await eventually('nothing waits any more', async () => (await worker.queuedBytes()) === 0);
    expect(kill('kafka', 'SIGSTOP', stack)).toBe(1);
    // On a busy machine it takes a moment until the broker stands still: what it still acknowledges does not wait.
    const first = await eventually('a batch waits for Kafka', async () => {
      const answer = worker.post(batch(500));
      const isAnswered = await Promise.race([answer.then(() => true), delay(1_000, false)]);
      return !isAnswered && { answer };
    });
    // The queue holds the first batch, and a second one of the same size does not fit.
    expect(await worker.post(batch(500))).toMatchObject({
      status: 429,
      retryAfter: '1',
      body: { code: 'producer-queue-full' },
    });
    expect(await first.answer).toMatchObject({ status: 503, retryAfter: '5', body: { code: 'not-acknowledged' } });
    kill('kafka', 'SIGCONT', stack);
    await eventually('readings are taken again', async () => (await worker.post(batch(10))).status === 202);
    await worker.untilReady();
  });

  it('told to stop while Kafka hangs, answers everybody and ends in time', async () => {
    kill('kafka', 'SIGSTOP', stack);
    const own = await IngestWorker.start({
      KAFKA_BROKERS: `localhost:${stack.ports.kafka}`,
      SHUTDOWN_TIMEOUT_MS: '3000',
    });
    const answer = own.post(makeEnvelope()).then(
      ({ status }) => status,
      () => 0,
    );
    const underWay = eventually('it waits for Kafka', async () => (await own.queuedBytes()) > 0, undefined, 20);
    await Promise.race([answer, underWay.catch(() => undefined)]);
    const startedMs = Date.now();
    expect((await own.process.stop()).code).toBe(0);
    expect(Date.now() - startedMs).toBeLessThan(30_000);
    expect(await answer).toBe(503);
    kill('kafka', 'SIGCONT', stack);
  });
});
