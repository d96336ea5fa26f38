import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLines, type Line, type LineOptions } from './lines.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lines-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function lines(content: string | Buffer, options: Partial<LineOptions> = {}, name = 'file.csv'): Promise<Line[]> {
  const path = join(directory, name);
  await writeFile(path, content);
  const all: Line[] = [];
  for await (const block of readLines({ path, encoding: 'utf-8', ...options })) all.push(...block.lines);
  return all;
}

test('every line comes out with its number, wherever chunks end', async () => {
  const texts = Array.from({ length: 20_000 }, (_line, index) => 'ä'.repeat(index % 50) + String(index));
  const read = await lines(texts.join('\n'));
  expect(read.map(({ text }) => text)).toEqual(texts);
  expect(read.map(({ row }) => row)).toEqual(texts.map((_text, index) => index + 1));
});

test('line breaks of Windows are taken off, and a last line without one is a line', async () => {
  expect((await lines('a\r\n\r\nb\rc\r\nd')).map(({ text }) => text)).toEqual(['a', '', 'b\rc', 'd']);
  expect(await lines('')).toEqual([]);
});

test('reading can go on behind any line, plain or compressed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 12 }), { minLength: 1, maxLength: 30 }),
      fc.nat(),
      async (texts, pick) => {
        const content = Buffer.from(texts.map((text) => text.replaceAll('\n', ' ')).join('\n'));
        const whole = await lines(content);
        const last = whole[pick % Math.max(1, whole.length)];
        if (last === undefined) return;
        const start = { byte: last.endByte, row: last.nextRow };
        const rest = whole.slice(whole.indexOf(last) + 1);
        expect(await lines(content, { start })).toEqual(rest);
        expect(await lines(gzipSync(content), { start }, 'file.csv.gz')).toEqual(rest);
      },
    ),
    { numRuns: 40 },
  );
});

test('a line that is too long comes in pieces that are marked, and the next line is whole', async () => {
  const long = 'x'.repeat(700_000);
  const read = await lines(`a\n${long}\nb\n`, { maxLineBytes: 100_000 });
  expect(read.at(0)?.text).toBe('a');
  expect(read.at(-1)).toMatchObject({ text: 'b', row: 3 });
  const pieces = read.slice(1, -1);
  expect(pieces.every(({ row, problem }) => row === 2 && problem === 'overlong')).toBe(true);
  expect(pieces.map(({ text }) => text).join('')).toBe(long);
  expect(pieces.map(({ nextRow }) => nextRow)).toEqual([...pieces.slice(1).map(() => 2), 3]);
});

test('a line that is not UTF-8 is marked and loses no byte', async () => {
  const [line, next] = await lines(Buffer.from([0x61, 0xb5, 0x0a, 0x62]));
  expect(line).toMatchObject({ text: 'a\u00b5', problem: 'invalid-encoding' });
  expect(next?.problem).toBeUndefined();
  expect((await lines(Buffer.from([0xb5]), { encoding: 'latin1' }))[0]).toMatchObject({ text: '\u00b5' });
});

test('a gzip file that is cut off gives its complete lines, then an error with its code', async () => {
  const noise = Array.from({ length: 200_000 }, (_line, index) => String((index * 2_654_435_761) % 4_294_967_296));
  const whole = gzipSync(noise.join('\n'));
  const path = join(directory, 'cut.csv.gz');
  await writeFile(path, whole.subarray(0, whole.length / 2));
  const read: string[] = [];
  const reading = async () => {
    for await (const block of readLines({ path, encoding: 'utf-8' })) read.push(...block.lines.map(({ text }) => text));
  };
  await expect(reading()).rejects.toMatchObject({ code: 'malformed-source-data' });
  expect(read.length).toBeGreaterThan(10_000);
  expect(read).toEqual(noise.slice(0, read.length));
});

test('a file that is not there is an error that names it', async () => {
  const path = join(directory, 'nowhere.csv');
  const reading = readLines({ path, encoding: 'utf-8' }).next();
  await expect(reading).rejects.toMatchObject({
    code: 'source-unavailable',
    message: expect.stringContaining(path) as string,
  });
});
