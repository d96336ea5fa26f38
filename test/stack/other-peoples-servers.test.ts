import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { bringUp, kill, takeDown } from '../../infra/native/stack.ts';
import { statusOf } from '../../infra/native/status.ts';
import {
  makePrivateStack,
  removePrivateStack,
  runStackCommand,
  settingsOfPrivate,
  type PrivateStack,
} from './private-stack.ts';

describe('what the stack did not start', () => {
  const stacks: PrivateStack[] = [];
  let listener: Server | undefined;
  let bystander: ChildProcess | undefined;

  afterEach(async () => {
    listener?.close();
    bystander?.kill('SIGKILL');
    for (const stack of stacks.splice(0)) await removePrivateStack(stack);
  });

  it('is used as it is when it answers at the configured address, and never stopped', async () => {
    const owner = await newStack();
    const guest: PrivateStack = { ...(await newStack()), ports: owner.ports };
    await bringUp(['redis'], owner);

    expect((await bringUp(['redis'], guest))[0]).toMatchObject({ name: 'redis', outcome: 'external' });
    expect(await statusOf(settingsOfPrivate(guest), 'redis')).toMatchObject({ state: 'external', pids: [] });
    expect(await takeDown(['redis'], guest)).toEqual([]);
    expect(kill('redis', 'SIGKILL', guest)).toBe(0);

    const redis = new Redis(owner.ports.redis);
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
  });

  it('gets one clear sentence that names it when it sits on the port, and is left alone', async () => {
    const stack = await newStack();
    // Greets as no Redis would.
    listener = createServer((socket) => socket.on('error', () => undefined).end('220 mail.example ready\r\n'));
    listener.listen(stack.ports.redis, '127.0.0.1');
    await once(listener, 'listening');

    const { code, stderr } = await runStackCommand(stack, ['up', 'redis']);
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${stack.ports.redis} is taken by process ${process.pid} (`);
    expect(stderr).toContain('Stop it, or configure another port.');
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(listener.listening).toBe(true);
  });

  it('gets the same sentence on a port that no address of the configuration names', async () => {
    const stack = await newStack();
    listener = createServer().listen(stack.ports['kafka-controller'], '127.0.0.1');
    await once(listener, 'listening');

    const { code, stderr } = await runStackCommand(stack, ['up', 'kafka']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `port ${stack.ports['kafka-controller']} (kafka-controller) is taken by process ${process.pid}`,
    );
  });

  it('is not signalled when it got the pid of a server of ours that has gone', async () => {
    const stack = await newStack();
    bystander = spawn('sleep', ['60']);
    await once(bystander, 'spawn');
    await mkdir(join(stack.stackHome, 'run'), { recursive: true });
    const record = {
      name: 'redis',
      pid: bystander.pid,
      startMark: '1',
      startedAt: '',
      ports: {},
      version: '',
      from: '',
    };
    await writeFile(join(stack.stackHome, 'run', 'redis.json'), JSON.stringify(record));

    expect(kill('redis', 'SIGKILL', stack)).toBe(0);
    expect(await takeDown(['redis'], stack)).toEqual([]);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });

  it('is not guessed at when a command names a server that does not exist', async () => {
    const stack = await newStack();
    const { code, stderr } = await runStackCommand(stack, ['up', 'nonsense']);
    expect(code).toBe(1);
    expect(stderr).toContain('There is no server nonsense; there are kafka, hdfs,');
  });

  async function newStack(): Promise<PrivateStack> {
    const stack = await makePrivateStack();
    stacks.push(stack);
    return stack;
  }
});
