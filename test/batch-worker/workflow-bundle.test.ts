import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prepareWorkflowBundle } from '../../connectors/temporal/workflow-bundle.ts';
import { createLogger } from '../../runtime/logger.ts';

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const directory = mkdtempSync(join(tmpdir(), 'powergrid-bundle-'));
const sources = join(directory, 'workflows');
// Where the bundler finds the SDK.
symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(directory, 'node_modules'));
const cache = join(directory, 'cache', 'run');
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(text: string): void {
  writeFileSync(join(sources, 'index.ts'), text);
}

function prepare(): Promise<string> {
  return prepareWorkflowBundle({
    workflowsFile: join(sources, 'index.ts'),
    sourceDirectories: [sources],
    otherFiles: [join(directory, 'lock.json')],
    cacheDirectory: cache,
    logger,
  });
}

beforeAll(() => {
  mkdirSync(sources, { recursive: true });
  writeFileSync(join(sources, 'part.ts'), 'export const part: string = "a part of it";\n');
  write("export { part } from './part.ts';\nexport async function first(): Promise<number> { return 1; }\n");
});

it('is built from TypeScript once, and is whole whenever it is there, however many workers start at once', async () => {
  const [path, other] = await Promise.all([prepare(), prepare()]);
  expect(other).toBe(path);
  expect(readFileSync(path, 'utf8')).toContain('a part of it');
  expect(readdirSync(cache)).toHaveLength(1);
  const { ino } = statSync(path);
  expect(await prepare()).toBe(path);
  writeFileSync(join(sources, 'index.test.ts'), '// a test is no part of it');
  expect(await prepare()).toBe(path);
  expect(statSync(path).ino).toBe(ino);
});

it('is another one when a source or the dependencies have changed', async () => {
  const path = await prepare();
  writeFileSync(join(sources, 'part.ts'), 'export const part = "another part";\n');
  const second = await prepare();
  expect(second).not.toBe(path);
  expect(readFileSync(second, 'utf8')).toContain('another part');
  writeFileSync(join(directory, 'lock.json'), '{}');
  expect(await prepare()).not.toBe(second);
});

it('of workflows that reach for side effects is refused, the module named, and leaves nothing behind', async () => {
  const before = readdirSync(cache);
  write("import { Context } from '@temporalio/activity';\nexport const first = () => Context.current();\n");
  await expect(prepare()).rejects.toMatchObject({
    code: 'defect',
    message: expect.stringMatching(
      /Bundling the workflows of .*disallowed modules:[^]*'@temporalio\/activity'/,
    ) as string,
  });
  expect(readdirSync(cache)).toEqual(before);
});

it('says what to do where it may not write', async () => {
  rmSync(join(directory, 'cache'), { recursive: true, force: true });
  writeFileSync(join(directory, 'cache'), 'a file is in the way');
  await expect(prepare()).rejects.toMatchObject({
    code: 'invalid-configuration',
    message: expect.stringContaining('STACK_HOME') as string,
  });
  rmSync(join(directory, 'cache'));
});
