import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameBytes, nameText } from './path-text.ts';

describe('a name as text', () => {
  it.each([
    [Buffer.from('Bericht März.txt'), 'Bericht März.txt'],
    [Buffer.from('a\nb\x1b[31m'), 'a%0Ab%1B[31m'],
    [Buffer.from('M\xe4rz%.txt', 'latin1'), 'M%E4rz%25.txt'],
    [Buffer.from('evil\u202Etxt.exe'), 'evil%E2%80%AEtxt.exe'],
    [Buffer.from('jar!'), 'jar%21'],
    [Buffer.from('wow!.txt'), 'wow!.txt'],
    [Buffer.from([0xed, 0xa0, 0x80]), '%ED%A0%80'],
    [Buffer.from([0xff, 0x21]), '%FF%21'],
  ])('of %j is %s', (bytes, text) => {
    expect(nameText(bytes)).toBe(text);
  });

  it('gives back the very bytes, whatever they are', () => {
    const anyName = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(anyName, (bytes) => {
        const text = nameText(Buffer.from(bytes));
        expect(nameBytes(text)).toEqual(Buffer.from(bytes));
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}]|!$/u);
      }),
    );
  });
});
