import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJobInput } from './job-input.ts';

test.each([
  ['{"a":1,}', 'line 1, column 8'],
  ["{'a':1}", 'line 1, column 2'],
  ['{"a":1', 'line 1, column 7'],
  ['{"a":1,"a":2}', 'a'],
  ['', 'it is empty'],
  ['nope', 'line 1, column 1'],
])('%s is not JSON: %s', async (text, fault) => {
  await expect(readJobInput(text)).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(readJobInput(text)).rejects.toThrow(fault);
});

test.each([
  ['[1]', 'an array'],
  ['null', 'null'],
  ['"x"', 'a string'],
  ['3', 'a number'],
])('%s is not an object but %s', async (text, kind) => {
  await expect(readJobInput(text)).rejects.toThrow(`this is ${kind}`);
});

test('input may come from a file, with a byte order mark or without', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'powergrid-input-'));
  try {
    for (const mark of ['', '\uFEFF']) {
      writeFileSync(join(directory, 'input.json'), `${mark}{"mode":"merge"}`);
      expect(await readJobInput(`@${directory}/input.json`)).toEqual({ mode: 'merge' });
    }
    await expect(readJobInput(`@${directory}/none.json`)).rejects.toThrow(/none\.json.*ENOENT/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
