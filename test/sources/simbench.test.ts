import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { provideSimbench } from '../../infra/datasets/simbench.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'powergrid-simbench-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

test('without Python the set-up goes on without SimBench and says what is missing', async () => {
  vi.stubEnv('PATH', home);
  const result = await provideSimbench(home, () => undefined);
  expect(result).toMatchObject({ kind: 'unavailable', error: { code: 'tool-missing' } });
});

test('without a network the set-up goes on without SimBench and leaves nothing that looks whole', async () => {
  vi.stubEnv('PIP_INDEX_URL', 'http://127.0.0.1:9/');
  vi.stubEnv('PIP_EXTRA_INDEX_URL', '');
  vi.stubEnv('PIP_FIND_LINKS', '');
  const told: string[] = [];
  const result = await provideSimbench(home, (text) => told.push(text));
  expect(result).toMatchObject({ kind: 'unavailable', error: { code: 'download-failed' } });
  expect(told[0]).toContain('91 MB');
  expect(existsSync(join(home, 'datasets', 'simbench-1.6.3'))).toBe(false);
});
