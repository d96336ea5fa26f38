import { COMMON_IDEOGRAPHS } from './languages.ts';

/** A charset of East Asia that has every character of a text, and how plausible it makes it, as for single bytes. */
export interface PlausibleMultiByte {
  readonly name: string;
  readonly score: number;
}

const NAMES = ['shift_jis', 'euc-jp', 'gb18030', 'big5', 'euc-kr'] as const;
const PRIOR = -1;
/** A character may be cut at the end of a head. */
const LONGEST_CHARACTER = 4;
const SAMPLE_BYTES = 24 << 10;

export function plausibleMultiByte(head: Buffer): readonly PlausibleMultiByte[] {
  return NAMES.flatMap((name) => {
    const text = strictly(name, head.subarray(0, SAMPLE_BYTES), head.length <= SAMPLE_BYTES);
    return text === undefined ? [] : [{ name, score: PRIOR + scoreOf(name, text) }];
  });
}

/** The text, where each byte belongs to a character; the last one of a head may be cut. */
function strictly(name: string, bytes: Buffer, isWhole: boolean): string | undefined {
  for (let cut = 0; cut < (isWhole ? 1 : LONGEST_CHARACTER); cut++) {
    try {
      return new TextDecoder(name, { fatal: true }).decode(bytes.subarray(0, bytes.length - cut));
    } catch {
      // One byte less, perhaps.
    }
  }
  return undefined;
}

/** Logarithm of how probable a character is, about twice as low as for one byte, since each is made of two. */
function scoreOf(name: (typeof NAMES)[number], text: string): number {
  const isJapanese = name === 'shift_jis' || name === 'euc-jp';
  let score = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) continue;
    if (code >= 0x3041 && code <= 0x30ff) score += isJapanese ? -3 : -12;
    else if (code >= 0xff61 && code <= 0xff9f) score += -7;
    else if (code >= 0xac00 && code <= 0xd7a3) score += name === 'euc-kr' ? -5 : -16;
    else if (code >= 0x4e00 && code <= 0x9fff)
      score += COMMON_IDEOGRAPHS.has(character) ? -4 : name === 'euc-kr' ? -13 : -8.5;
    else if ((code >= 0x3000 && code <= 0x303f) || (code >= 0xff01 && code <= 0xff5e)) score += -3;
    else if (code === 0x2103 || code === 0xb0 || code === 0x201c || code === 0x201d) score += -5;
    else score += -16;
  }
  return score;
}
