import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentsOf, textLines } from './bundle-lines.ts';

const HASH = 'ab'.repeat(32);

async function linesOf(chunks: readonly Buffer[]): Promise<string> {
  const out: Buffer[] = [];
  for await (const chunk of textLines(HASH, Readable.from(chunks))) out.push(chunk);
  return Buffer.concat(out).toString();
}

describe('text as lines for Hive', () => {
  it('has hash and number before each line, and what Hive reads otherwise escaped', async () => {
    expect(await linesOf([Buffer.from('one\n\na\tb\\c\rd')])).toBe(
      `${HASH}\t1\tone\n${HASH}\t2\t\n${HASH}\t3\ta\\\tb\\\\c\\rd\n`,
    );
    expect(await linesOf([])).toBe('');
  });

  it('is the same however it is cut into chunks, and gives the text back', async () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'ü', '\n', '\t', '\\', '\r', '𝄞') });
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 5 }), async (text, size) => {
        const bytes = Buffer.from(text);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        const lines = await linesOf(chunks);
        const read = lines
          .split('\n')
          .slice(0, -1)
          .map((line) =>
            line.replace(/^[0-9a-f]{64}\t\d+\t/, '').replaceAll(/\\(.)/gs, (_, c: string) => (c === 'r' ? '\r' : c)),
          );
        expect(read.join('\n')).toBe(text.replace(/\n$/, ''));
      }),
    );
  });
});

it('contents of a bundle are known from its lines', async () => {
  const other = 'cd'.repeat(32);
  const bytes = Buffer.from(`${HASH}\t1\tx\n${HASH}\t2\ty\n${other}\t1\tz\n`);
  for (const size of [1, 7, 1_000]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    expect([...(await contentsOf(Readable.from(chunks)))]).toEqual([HASH, other]);
  }
});
