import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { followRoutesFile, type RoutesFileWatch } from './routes-file.ts';

let directory = '';
let path = '';
const told: string[] = [];
const logger = pino({ level: 'info' }, { write: (line) => void told.push((JSON.parse(line) as { msg: string }).msg) });
const watches: RoutesFileWatch[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'powergrid-routes-'));
  path = join(directory, 'routes.json');
});
afterAll(async () => {
  for (const watch of watches) watch.close();
  await rm(directory, { recursive: true });
});

async function follow(text: string | Buffer): Promise<RoutesFileWatch> {
  await writeFile(path, text);
  // Longer than any test: they reload by themselves.
  const watch = await followRoutesFile({ path, reloadEveryMs: 3_600_000, logger });
  watches.push(watch);
  return watch;
}

const routes = (topic: string): string =>
  JSON.stringify({ routes: [{ name: 'six', match: { sensorIds: [6] }, topic }] });

it('takes a file with a byte order mark, which is no change when it comes or goes', async () => {
  const watch = await follow(`\uFEFF${routes('A')}`);
  expect(watch.current().topics).toEqual(['A']);
  told.length = 0;
  await writeFile(path, routes('A'));
  await watch.reload();
  expect(told).toEqual([]);
  await writeFile(path, `\uFEFF${routes('B')}`);
  await watch.reload();
  expect(watch.current().topics).toEqual(['B']);
});

it.each<[string, string | Buffer, RegExp]>([
  ['is cut off', routes('C').slice(0, -3), /not valid JSON: .* at line 1, column \d+/],
  ['is empty while it is written', '', /it is empty/],
  ['is not UTF-8', Buffer.from(routes('Ü'), 'latin1'), /line 1 is not UTF-8/],
  ['names a key twice', `{"routes": [], ${routes('C').slice(1)}`, /Duplicate key 'routes'/],
])('tells once of a file that %s, and keeps the routes before it', async (_what, text, message) => {
  const watch = await follow(routes('A'));
  told.length = 0;
  await writeFile(path, text);
  await watch.reload();
  await watch.reload();
  expect(watch.current().topics).toEqual(['A']);
  expect(told).toEqual([expect.stringMatching(message)]);
  expect(told[0]).toMatch(/^Reading the routes file .* The routes read before stay in force\.$/);
});

it('does not start with a bad file', async () => {
  await writeFile(path, '{"routes": 1}');
  const started = followRoutesFile({ path, reloadEveryMs: 3_600_000, logger });
  await expect(started).rejects.toMatchObject({ code: 'invalid-routes' });
});
