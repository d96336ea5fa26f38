import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Identification, Identifier } from '../identifier.ts';
import { openIdentifier } from './isolated-identifier.ts';
import type { IsolationLimits } from './limits.ts';

const MISBEHAVING = [fileURLToPath(new URL('./misbehaving-child.mjs', import.meta.url))];
const isLinux = process.platform === 'linux';
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isolation-'));
  await writeFile(join(directory, 'small'), 'content');
  // Large, without taking room: the larger a file, the more time it has, so that what shall go well does on any machine.
  await writeFile(join(directory, 'large'), 'content');
  await truncate(join(directory, 'large'), 1 << 30);
});
afterAll(() => rm(directory, { recursive: true }));

/** @param name what the child shall do */
async function look(
  identifier: Identifier,
  name: string,
  signal = new AbortController().signal,
): Promise<Identification> {
  const workDirectory = await mkdtemp(join(directory, 'work-'));
  const budget = { depth: 10, bytes: 0, entries: 10 };
  const path = join(directory, name === 'hang' || name === 'spin' ? 'small' : 'large');
  return identifier.identify({ path, name, workDirectory, budget }, signal);
}

async function withIdentifier<T>(
  limits: Partial<IsolationLimits>,
  use: (identifier: Identifier) => Promise<T>,
): Promise<T> {
  const identifier = openIdentifier({ children: 1, ...limits }, MISBEHAVING);
  try {
    return await use(identifier);
  } finally {
    await identifier.close();
  }
}

const FINE = { state: 'quarantined', reason: 'unreadable' };

describe('a file that makes its parser', () => {
  test.each([
    ['crash', 'crash', {}],
    ['throw', 'crash', {}],
    ['heap', 'memory', { heapMebibytes: 32 }],
    ...(isLinux
      ? ([
          ['memory', 'memory', { memoryBytes: 256 << 20 }],
          ['spin', 'cpu-time', { cpuMs: 300 }],
          ['disk', 'output', { outputBytes: 1 << 20, answerBytes: 1_000 }],
        ] as const)
      : []),
    ['hang', 'wall-time', { wallMs: 300 }],
    ['flood', 'output', { answerBytes: 4 << 20 }],
    ['nonsense', 'crash', {}],
    ['stray', 'crash', {}],
  ] as const)('%s is set aside for %s, and the next one is looked at', async (name, reason, limits) => {
    await withIdentifier(limits, async (identifier) => {
      expect(await look(identifier, name)).toMatchObject({ state: 'quarantined', reason });
      expect(await look(identifier, 'fine')).toMatchObject(FINE);
    });
  });

  test('crash for what an earlier one left behind is looked at again', async () => {
    await withIdentifier({}, async (identifier) => {
      expect(await look(identifier, 'fine')).toMatchObject({ detail: '1 content' });
      expect(await look(identifier, 'crash-if-used')).toMatchObject({ ...FINE, detail: '1 content' });
    });
  });
});

test('a child knows nothing of the environment, and is replaced after so many files', async () => {
  await withIdentifier({ filesPerChild: 2 }, async (identifier) => {
    // PWD and the like are the shell's own.
    const details = [
      await look(identifier, 'environment'),
      await look(identifier, 'fine'),
      await look(identifier, 'fine'),
    ].map((answer) => (answer.state === 'quarantined' ? answer.detail : ''));
    expect(details).toEqual([
      expect.stringMatching(/^1 \["?(?:PWD|OLDPWD|_|SHLVL|[",])*\]$/),
      '2 content',
      '1 content',
    ]);
  });
});

test('children that nobody needs are ended', async () => {
  await withIdentifier({ idleMs: 1 }, async (identifier) => {
    await look(identifier, 'fine');
    await vi.waitFor(async () => {
      expect(await look(identifier, 'fine')).toMatchObject({ detail: '1 content' });
    }, 60_000);
  });
});

test('a look that is given up ends with its reason, at once', async () => {
  await withIdentifier({}, async (identifier) => {
    const reason = new Error('given up');
    const looking = look(identifier, 'hang', AbortSignal.abort(reason));
    await expect(looking).rejects.toBe(reason);
    const controller = new AbortController();
    const hanging = look(identifier, 'hang', controller.signal);
    setImmediate(() => {
      controller.abort(reason);
    });
    await expect(hanging).rejects.toBe(reason);
    expect(await look(identifier, 'fine')).toMatchObject(FINE);
  });
});

test('a full disk is nobody’s verdict either', async () => {
  await withIdentifier({}, async (identifier) => {
    await expect(look(identifier, 'full')).rejects.toMatchObject({ code: 'disk-full' });
  });
});

test('a child that does not start is nobody’s verdict', async () => {
  const identifier = openIdentifier({ children: 1 }, [join(directory, 'no-such-module.js')]);
  await expect(look(identifier, 'fine')).rejects.toMatchObject({ code: 'worker-failed' });
  await identifier.close();
  await expect(look(identifier, 'fine')).rejects.toMatchObject({ code: 'shutting-down' });
});
