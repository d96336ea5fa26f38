import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockParser, type BlockHeader } from './block-parser.ts';

interface Block {
  readonly start: number;
  readonly text: string;
}

function encoded(blocks: readonly Block[]): Buffer {
  const parts = [Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')];
  for (const { start, text } of blocks) {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(66);
    head.writeInt16BE(4, 0);
    head.writeInt32BE(8, 2);
    head.writeBigInt64BE(BigInt(start), 6);
    head.writeInt32BE(8, 14);
    head.writeBigInt64BE(BigInt(bytes.length), 18);
    head.writeInt32BE(32, 26);
    head.fill(0xdd, 30, 62);
    head.writeInt32BE(bytes.length, 62);
    parts.push(head, bytes);
  }
  return Buffer.concat([...parts, Buffer.from([0xff, 0xff])]);
}

function parsed(pieces: readonly Buffer[]): { blocks: (BlockHeader & { text: string })[]; finished: boolean } {
  const blocks: (BlockHeader & { text: string })[] = [];
  let text: Buffer[] = [];
  const parser = new BlockParser({
    begin: () => (text = []),
    text: (piece) => text.push(piece),
    end: (block) => blocks.push({ ...block, text: Buffer.concat(text).toString() }),
  });
  for (const piece of pieces) parser.push(piece);
  return { blocks, finished: parser.isFinished };
}

test('blocks come out as they went in, whatever pieces they come in', () => {
  const block = fc.record({ start: fc.integer({ min: 0, max: 2 ** 32 }), text: fc.string({ unit: 'binary' }) });
  fc.assert(
    fc.property(fc.array(block), fc.array(fc.nat(300)), (blocks, cuts) => {
      const bytes = encoded(blocks);
      const pieces: Buffer[] = [];
      let at = 0;
      for (const length of cuts) pieces.push(bytes.subarray(at, (at += length)));
      pieces.push(bytes.subarray(at));
      const { blocks: found, finished } = parsed(pieces);
      expect(found.map(({ start, text }) => ({ start, text }))).toEqual(blocks);
      expect(found.every(({ rows, text }) => rows === Buffer.byteLength(text))).toBe(true);
      expect(finished).toBe(true);
    }),
  );
});

test('an end that is missing is not taken for one', () => {
  const bytes = encoded([{ start: 1, text: 'abc' }]);
  expect(parsed([bytes.subarray(0, -1)]).finished).toBe(false);
  expect(parsed([bytes.subarray(0, -3)]).blocks).toEqual([]);
});

test.each([
  ['another signature', (bytes: Buffer) => bytes.fill('x', 0, 5)],
  ['another number of fields', (bytes: Buffer) => (bytes.writeInt16BE(5, 19), bytes)],
  ['a text that is NULL', (bytes: Buffer) => (bytes.writeInt32BE(-1, 19 + 62), bytes)],
  ['bytes after the end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
])('%s is refused', (_, spoil) => {
  expect(() => parsed([spoil(encoded([{ start: 1, text: 'abc' }]))])).toThrow(
    expect.objectContaining({ code: 'import-verification-failed' }),
  );
});
