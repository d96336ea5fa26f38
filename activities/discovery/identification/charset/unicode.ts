import iconv from 'iconv-lite';

export type Utf = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

const MARKS: readonly (readonly [Utf, readonly number[]])[] = [
  ['utf-32le', [0xff, 0xfe, 0, 0]],
  ['utf-32be', [0, 0, 0xfe, 0xff]],
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Two bytes may begin like a mark and be something else, as in sound; so what follows must be text in it. */
export function byteOrderMark(head: Buffer): { readonly charset: Utf; readonly bytes: number } | undefined {
  for (const [charset, mark] of MARKS) {
    if (!mark.every((byte, index) => head[index] === byte)) continue;
    if (
      charset === 'utf-8' ||
      head.length === mark.length ||
      looksLikeText(charset, head.subarray(mark.length, SAMPLE_BYTES))
    ) {
      return { charset, bytes: mark.length };
    }
  }
  return undefined;
}

const SAMPLE_BYTES = 8 << 10;
const LEAST_BYTES = 8;

/** UTF-16 or UTF-32 without a mark. The other order of bytes makes rare characters of many scripts of a text. */
export function unicodeWithoutMark(head: Buffer): Utf | undefined {
  if (head.length < LEAST_BYTES) return undefined;
  const sample = head.subarray(0, SAMPLE_BYTES);
  const zero = sample.indexOf(0);
  if (zero >= 0 && sample.length % 4 === 0) {
    for (const charset of ['utf-32le', 'utf-32be'] as const) if (looksLikeText(charset, sample)) return charset;
  }
  const candidates = (['utf-16le', 'utf-16be'] as const).map((charset) => ({ charset, ...quality(charset, sample) }));
  const [best, other] = candidates.sort((one, two) => two.good - one.good);
  if (best === undefined || other === undefined || best.bad > 0) return undefined;
  // Without zero bytes only text whose spaces and line feeds are right in one order, and not in the other, is sure.
  return best.good > 0.85 && best.good > other.good + 0.2 && (zero >= 0 || best.spaces > 0.03)
    ? best.charset
    : undefined;
}

function looksLikeText(charset: Utf, bytes: Buffer): boolean {
  const { good, bad } = quality(charset, bytes);
  return bad === 0 && good > 0.7;
}

/** Shares of characters of scripts in use, of spaces and line ends, and of what no text has. */
function quality(
  charset: Utf,
  bytes: Buffer,
): { readonly good: number; readonly bad: number; readonly spaces: number } {
  const width = charset.startsWith('utf-32') ? 4 : 2;
  const whole = bytes.subarray(0, bytes.length - (bytes.length % width));
  const decoded = charset.startsWith('utf-32') ? iconv.decode(whole, charset) : new TextDecoder(charset).decode(whole);
  let [good, bad, spaces, all, turned] = [0, 0, 0, 0, 0];
  const scripts = new Map<number, number>();
  for (const character of decoded) {
    const code = character.codePointAt(0) ?? 0;
    all++;
    // What is ASCII in the other order.
    if (code >= 0x100 && (code & 0xff) === 0 && code < 0x10000) turned++;
    if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0x3000 || code === 0x3002)
      spaces++;
    if (
      code < 0x20
        ? code < 8 || (code > 13 && code !== 27)
        : (code >= 0x7f && code < 0xa0) || (code >= 0xfffd && code <= 0xffff)
    ) {
      // Half a pair at the end of a sample is none.
      if (code !== 0xfffd || all < decoded.length - 1) bad++;
    } else {
      const block = blockOf(code);
      scripts.set(block, (scripts.get(block) ?? 0) + 1);
    }
  }
  // A text is of two or three blocks: its script, ASCII, punctuation.
  const most = [...scripts].sort(([, one], [, two]) => two - one).slice(0, 3);
  for (const [block, count] of most)
    if (block <= 0x06 || block === 0x0e || block === 0x20 || block === 0x4e || block === 0xac || block === 0x1e)
      good += count;
  return { good: (good - 2 * turned) / Math.max(1, all), bad, spaces: spaces / Math.max(1, all) };
}

/** East Asian scripts spread over many blocks of 256. */
function blockOf(code: number): number {
  if (code >= 0x3040 && code < 0xa000) return 0x4e;
  return code >= 0xac00 && code < 0xd7b0 ? 0xac : code >> 8;
}
