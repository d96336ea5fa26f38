import { isUtf8 } from 'node:buffer';
import { cutCharacterBytes } from '../../runtime/cut-character.ts';

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
const LEAST_UTF16_BYTES = 16;

/** @param isWhole whether `head` is all of the file: then it must not end within a character */
export function sniff(head: Buffer, isWhole: boolean): Sniffed {
  const marked = byteOrderMark(head);
  if (marked !== undefined) return { kind: 'other-charset', charset: marked };
  const zeros = zeroShares(head);
  if (zeros.all > 0) {
    const [more, less, charset] =
      zeros.odd > zeros.even
        ? ([zeros.odd, zeros.even, 'utf-16le'] as const)
        : ([zeros.even, zeros.odd, 'utf-16be'] as const);
    if (more > UTF16_ZEROS && less < FEW_ZEROS && isTextIn(charset, head)) return { kind: 'other-charset', charset };
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

/** Long enough to be told by its zeros, and without any character that no text has. */
function isTextIn(charset: 'utf-16le' | 'utf-16be', head: Buffer): boolean {
  if (head.length < LEAST_UTF16_BYTES) return false;
  const text = new TextDecoder(charset).decode(head.subarray(0, head.length - (head.length % 2)));
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u0008\u000e-\u001f\ufffd\ufffe\uffff]/.test(text);
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
