import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPortFree } from '../../infra/native/ports.ts';
import { readRecord } from '../../infra/native/processes.ts';
import { bringUp, kill, takeDown } from '../../infra/native/stack.ts';
import { statusOf, type ServerState } from '../../infra/native/status.ts';
import { makePrivateStack, removePrivateStack, settingsOfPrivate, type PrivateStack } from './private-stack.ts';

const SERVERS = ['kafka', 'redis'] as const;
const TOPIC = 'LIFE';

describe('the life of a native stack', () => {
  let stack: PrivateStack;

  beforeAll(async () => {
    stack = await makePrivateStack();
  });
  afterAll(() => removePrivateStack(stack));

  it('starts the named servers and nothing else', async () => {
    const results = await bringUp(SERVERS, stack);
    expect(results.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['kafka', 'started'],
      ['redis', 'started'],
    ]);
    expect(await states(['kafka', 'redis', 'mongodb'])).toEqual(['running', 'running', 'stopped']);
    await write('before the crash');
  });

  it('leaves running servers alone when brought up again', async () => {
    const before = pids();
    const results = await bringUp(SERVERS, stack);
    expect(results.map(({ outcome }) => outcome)).toEqual(['running', 'running']);
    expect(pids()).toEqual(before);
  });

  it('mends servers that were killed, with their data', async () => {
    const before = pids();
    expect(kill('kafka', 'SIGKILL', stack) + kill('redis', 'SIGKILL', stack)).toBe(2);
    await expect.poll(() => states(SERVERS)).toEqual(['broken', 'broken']);

    const results = await bringUp(SERVERS, stack);
    expect(results.map(({ outcome }) => outcome)).toEqual(['mended', 'mended']);
    expect(pids().every((pid, index) => pid !== undefined && pid !== before[index])).toBe(true);
    expect(await read()).toEqual({ redis: 'before the crash', kafka: ['before the crash'] });
  });

  it('lets two commands bring it up at once without starting anything twice', async () => {
    await takeDown(SERVERS, stack);
    const both = await Promise.all([bringUp(SERVERS, stack), bringUp(SERVERS, stack)]);
    for (const index of SERVERS.keys()) {
      expect(both.map((results) => results[index]?.outcome).sort()).toEqual(['running', 'started']);
    }
  });

  it('leaves no process, no port and no record behind when taken down, and keeps the data', async () => {
    expect((await takeDown(SERVERS, stack)).sort()).toEqual(['kafka', 'redis']);
    expect(await Promise.all([isPortFree(stack.ports.kafka), isPortFree(stack.ports.redis)])).toEqual([true, true]);
    expect(pids()).toEqual([undefined, undefined]);
    expect(await states(SERVERS)).toEqual(['stopped', 'stopped']);
    expect(await takeDown(SERVERS, stack)).toEqual([]);

    await bringUp(SERVERS, stack);
    expect(await read()).toEqual({ redis: 'before the crash', kafka: ['before the crash'] });
  });

  function pids(): (number | undefined)[] {
    return SERVERS.map((name) => readRecord(settingsOfPrivate(stack), name)?.pid);
  }

  async function states(names: readonly ('kafka' | 'redis' | 'mongodb')[]): Promise<ServerState[]> {
    const statuses = await Promise.all(names.map((name) => statusOf(settingsOfPrivate(stack), name)));
    return statuses.map(({ state }) => state);
  }

  function kafkaClient(): Kafka {
    return new Kafka({ brokers: [`localhost:${stack.ports.kafka}`], logLevel: logLevel.NOTHING });
  }

  async function write(text: string): Promise<void> {
    const redis = new Redis(stack.ports.redis);
    await redis.set('life', text);
    redis.disconnect();

    const admin = kafkaClient().admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: TOPIC, numPartitions: 1 }] });
    await admin.disconnect();
    const producer = kafkaClient().producer();
    await producer.connect();
    await producer.send({ topic: TOPIC, acks: -1, messages: [{ value: text }] });
    await producer.disconnect();
  }

  async function read(): Promise<{ redis: string | null; kafka: string[] }> {
    const redis = new Redis(stack.ports.redis);
    const value = await redis.get('life');
    redis.disconnect();

    const consumer = kafkaClient().consumer({ groupId: `life-${Date.now()}` });
    await consumer.connect();
    await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
    const first = await new Promise<string>((resolve, reject) => {
      consumer
        .run({
          eachMessage: ({ message }) => {
            resolve(message.value?.toString() ?? '');
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return { redis: value, kafka: [first] };
  }
});
