import { isUtf8 } from 'node:buffer';
import { analyse } from 'chardet';
import { plausibleMultiByte } from './multi-byte.ts';
import { plausibleCharsets, trigramsOf } from './plausibility.ts';
import { unicodeWithoutMark, byteOrderMark } from './unicode.ts';
import { cutCharacterBytes } from '../../../../runtime/cut-character.ts';

export type CharsetFinding =
  | {
      readonly kind: 'text';
      /** As the WHATWG names it, or as IANA does where that has none. */
      readonly charset: string;
      /** For iconv-lite, which knows more of them than TextDecoder. */
      readonly decoder: string;
      readonly markBytes: number;
      /** 0 to 1. */
      readonly confidence: number;
      readonly found: string;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'binary'; readonly reason: string };

/** Of a hundred characters of text hardly one is a control character other than white space and escape sequences. */
const MOST_CONTROLS = 0.02;
/** Of UTF-8 that was damaged, most sequences are still right. */
const LEAST_VALID = 0.9;
/** Less per byte than this, and not even the best guess is text. */
const LEAST_SCORE = -6.2;

/** Tells the charset of a text from its bytes; each guess is confirmed by decoding strictly and by how letters are distributed. */
export function detectCharset(head: Buffer, isWhole: boolean): CharsetFinding {
  const marked = byteOrderMark(head);
  if (marked !== undefined) {
    const { charset, bytes } = marked;
    return text(charset, { markBytes: bytes, confidence: 1, found: `a byte order mark of ${charset}` });
  }
  const unicode = unicodeWithoutMark(head);
  if (unicode !== undefined)
    return text(unicode, { confidence: 0.95, found: `its zero bytes and characters are those of ${unicode}` });
  const zero = head.indexOf(0);
  if (zero >= 0) return { kind: 'binary', reason: `byte 0 at ${zero}` };
  let controls = 0;
  let high = 0;
  for (const byte of head) {
    if (byte >= 0x80) high++;
    else if (byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b && byte !== 0x1a) controls++;
  }
  if (controls > head.length * MOST_CONTROLS)
    return { kind: 'binary', reason: `${controls} control characters in the first ${head.length} bytes` };
  if (high === 0) return escaped(head) ?? text('utf-8', { confidence: 1, found: 'ASCII alone' });
  if (isUtf8(isWhole ? head : head.subarray(0, head.length - cutCharacterBytes(head)))) {
    return text('utf-8', { confidence: 0.99, found: `${high} bytes beyond ASCII, all in sequences of UTF-8` });
  }
  const valid = validShare(head);
  if (high >= 20 && valid > LEAST_VALID) {
    const warnings = ['some bytes are no UTF-8, while nearly all are: they are shown as U+FFFD'];
    return text('utf-8', {
      confidence: valid * 0.9,
      found: `${Math.round(valid * 100)} % of its sequences are UTF-8`,
      warnings,
    });
  }
  return legacy(head, high);
}

/** By strict decoding and letter statistics; a library's guess speaks for one of them too. */
function legacy(head: Buffer, high: number): CharsetFinding {
  const single = plausibleCharsets(trigramsOf(head)).map(({ charset, score }) => ({
    name: charset.name,
    decoder: charset.iconvName,
    score,
  }));
  const sampled = Math.min(high, countHigh(head.subarray(0, 24 << 10)));
  const scale = sampled === 0 ? 1 : trigramWeight(head) / sampled;
  const multi = plausibleMultiByte(head).map(({ name, score }) => ({ name, decoder: name, score: score * scale }));
  const guesses = new Set(
    analyse(head.subarray(0, 16 << 10))
      .slice(0, 2)
      .map(({ name }) => name.toLowerCase()),
  );
  const ranked = [...single, ...multi]
    .map((candidate) => ({ ...candidate, score: candidate.score + (guesses.has(candidate.name) ? 0.7 : 0) }))
    .sort((one, other) => other.score - one.score);
  const [best, second] = ranked;
  if (best === undefined) return { kind: 'binary', reason: 'bytes that no charset has' };
  const perByte = best.score / trigramWeight(head);
  const letters = head.length - high;
  // Without ASCII around them, bytes are text only where they are very much like it.
  if (perByte < LEAST_SCORE && (high > letters / 4 || perByte < 2 * LEAST_SCORE)) {
    return { kind: 'binary', reason: `bytes beyond ASCII make no words in any charset (best ${best.name})` };
  }
  const lead = second === undefined ? 10 : best.score - second.score;
  return text(best.name, {
    decoder: best.decoder,
    confidence: Math.min(0.98, 0.55 + lead / 12),
    found: `letters are distributed as in ${best.name}${second === undefined ? '' : `, next is ${second.name}`}`,
  });
}

function text(
  charset: string,
  rest: { decoder?: string; markBytes?: number; confidence: number; found: string; warnings?: readonly string[] },
): CharsetFinding {
  return { kind: 'text', charset, decoder: charset, markBytes: 0, warnings: [], ...rest };
}

/** Seven-bit text that changes its characters by escape sequences. */
function escaped(head: Buffer): CharsetFinding | undefined {
  const start = head.indexOf('\u001b$');
  if (start < 0) return undefined;
  const charset = head.includes('\u001b$)C') ? 'iso-2022-kr' : 'iso-2022-jp';
  if (charset === 'iso-2022-kr') return undefined;
  try {
    new TextDecoder(charset, { fatal: true }).decode(head, { stream: true });
    return text(charset, { confidence: 0.95, found: `escape sequences of ${charset}` });
  } catch {
    return undefined;
  }
}

function countHigh(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte >= 0x80) count++;
  return count;
}

function trigramWeight(head: Buffer): number {
  return trigramsOf(head).reduce((sum, { count }) => sum + count, 0);
}

/** Bytes of a character at the end that may go on behind it: 0 to 3. */
export /** Of the bytes from 128 on, the share in right sequences of UTF-8. */
function validShare(head: Buffer): number {
  let valid = 0;
  let wrong = 0;
  for (let at = 0; at < head.length;) {
    const byte = head[at] ?? 0;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
    if (length === 1) at++;
    else if (length > 0 && isUtf8(head.subarray(at, at + length))) {
      valid += length;
      at += length;
    } else {
      wrong++;
      at++;
    }
  }
  return valid / Math.max(1, valid + wrong);
}
