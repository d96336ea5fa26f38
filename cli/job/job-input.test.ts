import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseJobInput, readJobInput } from './job-input.ts';

test.each([
  ['{"a":1,}', 'at position 7'],
  ["{'a':1}", 'at position 1'],
  ['{"a":1', 'at position 6'],
  ['', 'at position 0'],
  ['nope', 'at position 0'],
])('%s is not JSON: %s', (text, position) => {
  expect(() => parseJobInput(text, '--input')).toThrow(position);
});

test.each([
  ['[]', 'an array'],
  ['null', 'null'],
  ['"full"', 'a string'],
  ['3', 'a number'],
])('%s is not an object but %s', (text, kind) => {
  expect(() => parseJobInput(text, '--input')).toThrow(`this is ${kind}`);
});

test('input may come from a file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'powergrid-input-'));
  try {
    writeFileSync(join(directory, 'input.json'), '{"mode":"merge"}');
    expect(await readJobInput(`@${directory}/input.json`)).toEqual({ mode: 'merge' });
    await expect(readJobInput(`@${directory}/none.json`)).rejects.toThrow(/none\.json.*ENOENT/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
