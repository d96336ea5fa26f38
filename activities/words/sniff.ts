import { isUtf8 } from 'node:buffer';

/** What the first bytes of a file, decompressed, are. */
export type Sniffed =
  /** UTF-8 as far as it goes; a byte order mark at its beginning is none of its characters. */
  | { readonly kind: 'utf-8' }
  | { readonly kind: 'other-charset'; readonly charset: 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be' }
  /** Text in a charset that cannot be told from the bytes. */
  | { readonly kind: 'not-utf-8'; readonly position: number }
  | { readonly kind: 'binary'; readonly reason: string };

/** So much of a file is looked at. */
export const HEAD_BYTES = 64 << 10;
/** Of a hundred characters of text hardly one is a control character other than white space and escape sequences. */
const MOST_CONTROLS = 0.05;
/** In UTF-16 of a western language nearly each second byte is 0. */
const UTF16_ZEROS = 0.4;
const FEW_ZEROS = 0.05;

/** @param isWhole whether `head` is all of the file: then it must not end within a character */
export function sniff(head: Buffer, isWhole: boolean): Sniffed {
  const marked = byteOrderMark(head);
  if (marked !== undefined) return { kind: 'other-charset', charset: marked };
  const zeros = zeroShares(head);
  if (zeros.all > 0) {
    if (zeros.odd > UTF16_ZEROS && zeros.even < FEW_ZEROS) return { kind: 'other-charset', charset: 'utf-16le' };
    if (zeros.even > UTF16_ZEROS && zeros.odd < FEW_ZEROS) return { kind: 'other-charset', charset: 'utf-16be' };
    return { kind: 'binary', reason: `binary: byte 0 at ${head.indexOf(0)}` };
  }
  let controls = 0;
  for (const byte of head) if (byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b) controls++;
  if (controls > head.length * MOST_CONTROLS) {
    return { kind: 'binary', reason: `binary: ${controls} control characters in the first ${head.length} bytes` };
  }
  const text = isWhole ? head : head.subarray(0, head.length - cutCharacterBytes(head));
  return isUtf8(text) ? { kind: 'utf-8' } : { kind: 'not-utf-8', position: firstInvalid(text) };
}

function byteOrderMark(head: Buffer) {
  const begins = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (begins(0xff, 0xfe, 0, 0)) return 'utf-32le';
  if (begins(0, 0, 0xfe, 0xff)) return 'utf-32be';
  if (begins(0xff, 0xfe)) return 'utf-16le';
  return begins(0xfe, 0xff) ? 'utf-16be' : undefined;
}

function zeroShares(head: Buffer): { readonly all: number; readonly odd: number; readonly even: number } {
  const counts = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) counts[at % 2] = (counts[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = counts;
  const half = Math.max(1, head.length / 2);
  return { all: (even + odd) / Math.max(1, head.length), even: even / half, odd: odd / half };
}

/** Bytes of a character at the end that may go on behind it: 0 to 3. */
function cutCharacterBytes(head: Buffer): number {
  for (let back = 1; back <= Math.min(3, head.length); back++) {
    const byte = head[head.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needs > back ? back : 0;
  }
  return 0;
}

/** By halves, so that a megabyte costs no more than a few looks at it. */
function firstInvalid(text: Buffer): number {
  let [valid, invalid] = [0, text.length];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    const part = text.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - cutCharacterBytes(part)))) valid = middle;
    else invalid = middle;
  }
  return Math.max(0, valid - cutCharacterBytes(text.subarray(0, valid)));
}
