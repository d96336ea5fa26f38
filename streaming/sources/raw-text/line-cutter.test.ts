import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineCutter, type TextLine } from './line-cutter.ts';

function cut(chunks: readonly (string | Uint8Array)[], maxLineBytes = 1_000): TextLine[] {
  const cutter = new LineCutter(maxLineBytes);
  const lines = chunks.flatMap((chunk) => [...cutter.push(Buffer.from(chunk as string))]);
  return [...lines, ...cutter.end()];
}
const texts = (lines: readonly TextLine[]) => lines.map(({ bytes }) => bytes.toString());

it('cuts at LF and CRLF, keeps blank lines, and needs no end of the last line', () => {
  expect(texts(cut(['a\r\nb\n\nc']))).toEqual(['a', 'b', '', 'c']);
  expect(texts(cut(['a\n']))).toEqual(['a']);
  expect(texts(cut(['']))).toEqual([]);
  expect(texts(cut(['\n']))).toEqual(['']);
});

it('keeps a CR that ends no line', () => {
  expect(texts(cut(['a\rb\n\r']))).toEqual(['a\rb', '\r']);
});

it('keeps bytes that are not valid UTF-8', () => {
  expect(cut([Uint8Array.of(0xff, 0xfe, 0x0a, 0xc3)]).map(({ bytes }) => [...bytes])).toEqual([[0xff, 0xfe], [0xc3]]);
});

it('cuts alike wherever the chunks end', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', 'é') });
  fc.assert(
    fc.property(fc.array(text), (chunks) => {
      expect(texts(cut(chunks))).toEqual(texts(cut([chunks.join('')])));
    }),
  );
});

it('cuts a line that is too long into numbered pieces, of which the last knows how many there are', () => {
  expect(cut(['aaaaabbbbbcc\nd'], 5).map(({ bytes, part, parts }) => [bytes.toString(), part, parts])).toEqual([
    ['aaaaa', 0, undefined],
    ['bbbbb', 1, undefined],
    ['cc', 2, 3],
    ['d', undefined, undefined],
  ]);
});

it('loses no byte of long lines, and no piece is longer than allowed', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 200 });
  fc.assert(
    fc.property(fc.array(text), fc.integer({ min: 1, max: 20 }), (chunks, maxLineBytes) => {
      const lines: string[] = [];
      let open = '';
      for (const { bytes, part, parts } of cut(chunks, maxLineBytes)) {
        expect(bytes.length).toBeLessThanOrEqual(maxLineBytes);
        open += bytes.toString();
        if (part !== undefined && parts === undefined) continue;
        lines.push(open);
        open = '';
      }
      const whole = chunks.join('');
      const expected = whole.split('\n');
      if (expected.at(-1) === '') expected.pop();
      expect(open).toBe('');
      expect(lines).toEqual(expected);
    }),
  );
});
