import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sniff } from './sniff.ts';

const whole = (bytes: Buffer) => sniff(bytes, true);
const TEXT = 'the café of the grid\r\nwith a tab\there\n';

describe('the beginning of a file', () => {
  test.each([
    ['ASCII', Buffer.from('the grid')],
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${TEXT}`)],
    ['the replacement character itself', Buffer.from('\ufffd')],
    ['colours of a terminal', Buffer.from('\u001b[31mred\u001b[0m text that is longer than its colours')],
  ])('that is %s is UTF-8', (_, bytes) => {
    expect(whole(bytes)).toEqual({ kind: 'utf-8' });
  });

  test.each([
    ['utf-16le', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
    ['utf-16be', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16()],
    ['utf-16le', Buffer.from(TEXT, 'utf16le')],
    ['utf-16be', Buffer.from(TEXT, 'utf16le').swap16()],
    ['utf-32le', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
    ['utf-32be', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x61])],
  ])('tells %s by its mark or its zeros', (charset, bytes) => {
    expect(whole(bytes)).toEqual({ kind: 'other-charset', charset });
  });

  test.each([
    ['zeros here and there', Buffer.from([1, 2, 0, 3])],
    [
      'each second byte a zero, but characters that no text has',
      Buffer.from('\u0001\u0002\u0003'.repeat(20), 'utf16le'),
    ],
    ['a PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])],
    ['control characters', Buffer.from('\u0001\u0002\u0003abc')],
  ])('with %s is binary', (_, bytes) => {
    expect(whole(bytes)).toMatchObject({ kind: 'binary' });
  });

  test('says where it is no UTF-8', () => {
    expect(whole(Buffer.concat([Buffer.from('caf'), Buffer.from([0xe9]), Buffer.from(' the')]))).toEqual({
      kind: 'not-utf-8',
      position: 3,
    });
    expect(whole(Buffer.from('é').subarray(0, 1))).toMatchObject({ kind: 'not-utf-8' });
  });

  test('may end within a character, when the file goes on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(), (text, at) => {
        const bytes = Buffer.from(`grid ${text}`);
        const head = bytes.subarray(0, at % (bytes.length + 1));
        fc.pre(!head.some((byte) => byte < 0x20 || byte === 0x7f));
        expect(sniff(head, false)).toEqual({ kind: 'utf-8' });
      }),
    );
  });
});
