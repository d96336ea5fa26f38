import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson, readJsonFile, type ReadingOf } from './json-file.ts';

const reading: ReadingOf = {
  code: 'invalid-configuration',
  attempt: 'Reading the file x',
  advice: 'Correct it.',
  maxBytes: 2_000,
};
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'powergrid-json-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function readOf(content: string | Buffer): Promise<unknown> {
  const path = join(directory, 'file.json');
  await writeFile(path, content);
  return readJsonFile(path, reading);
}

describe('files that are taken', () => {
  it.each([
    ['plain', '{"a": [1, "ü"]}'],
    ['with a byte order mark', '\uFEFF{"a": [1, "ü"]}'],
    ['with a byte order mark and line breaks of Windows', '\uFEFF{\r\n"a":\r\n[1, "ü"]}\r\n'],
    ['with a repeated key of the same value', '{"a": [1, "ü"], "a": [1, "ü"]}'],
  ])('%s', async (_what, content) => {
    expect(await readOf(content)).toEqual({ a: [1, 'ü'] });
  });

  it('keeps a key that every object has from its prototype an own key', async () => {
    const value = await readOf('{"__proto__": {"polluted": 1}, "constructor": 2}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect(value).not.toHaveProperty('polluted');
  });
});

describe('files that are refused, each with the reason, the place and what to do', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['an empty file', '', /it is empty, not JSON/],
    ['a byte order mark alone', '\uFEFF \n', /it is empty, not JSON/],
    ['UTF-16', Buffer.from('\uFEFF{"a": 1}', 'utf16le'), /it is UTF-16; it has to be saved as UTF-8/],
    ['Latin-1', Buffer.from('{\n"a": "\u00fc"}', 'latin1'), /line 2 is not UTF-8/],
    ['Latin-1 in the last line', Buffer.from('{\n"a":\n"\u00fc\n', 'latin1'), /line 3 is not UTF-8/],
    ['a missing value', '{\n  "a": 1,\n  "b": \n}', /Object value expected after ':' at line 4, column 1/],
    ['text behind the end', '{}\n{}', /Expected end of input but got '\{' at line 2, column 1/],
    ['a key with two values', '{\n"a": 1,\n "a": 2}', /Duplicate key 'a' encountered at line 3, column/],
    ['a comment', '{} // x', /at line 1, column 4/],
    ['more bytes than allowed', JSON.stringify('x'.repeat(2_000)), /it has more than 2000 bytes/],
  ])('%s', async (_what, content, message) => {
    const failed = readOf(content);
    await expect(failed).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toThrow(/^Reading the file x: .*\. Correct it\.$/s);
  });

  it('a file that is not there, and a folder', async () => {
    await expect(readJsonFile(join(directory, 'none.json'), reading)).rejects.toThrow(/it cannot be read: ENOENT/);
    await expect(readJsonFile(directory, reading)).rejects.toThrow(/it cannot be read: EISDIR/);
  });

  it('nesting that no stack holds', () => {
    expect(() => parseJson('['.repeat(500_000), reading)).toThrow(expect.objectContaining({ code: reading.code }));
    const deep = '['.repeat(500_000) + ']'.repeat(500_000);
    expect(() => parseJson(deep, reading)).toThrow(/nested too deep/);
  });
});

it('reads whatever JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, marked) => {
      const text = JSON.stringify(value);
      expect(parseJson(`${marked ? '\uFEFF' : ''}${text}`, reading)).toEqual(JSON.parse(text));
    }),
  );
});
