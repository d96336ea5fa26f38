import { LANGUAGES } from './languages.ts';
import { singleByteCharsets, type SingleByteCharset } from './single-byte.ts';

/** A byte from 128 on with its neighbours, and how often that occurs. */
export interface Trigram {
  readonly before: number;
  readonly byte: number;
  readonly after: number;
  readonly count: number;
}

const MOST_TRIGRAMS = 6_000;

/** The bytes from 128 on with what stands around them, of so much that more would tell nothing new. */
export function trigramsOf(head: Buffer): readonly Trigram[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < head.length; at++) {
    const byte = head[at] ?? 0;
    if (byte < 128) continue;
    const key = ((head[at - 1] ?? 0x20) << 16) | (byte << 8) | (head[at + 1] ?? 0x20);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (counts.size >= MOST_TRIGRAMS) break;
  }
  return [...counts].map(([key, count]) => ({ before: key >> 16, byte: (key >> 8) & 255, after: key & 255, count }));
}

export interface Plausible {
  readonly charset: SingleByteCharset;
  /** Sum over all bytes from 128 on of the logarithm of how probable their character is there. */
  readonly score: number;
}

/** What a letter costs that the language does not have, and a sign that does not stand there. */
const FOREIGN = -8;
const CAPITAL_INSIDE = -4;
const MIXED_SCRIPT = -5;

/** Charsets that have a character for each of the bytes, the most plausible first. */
export function plausibleCharsets(trigrams: readonly Trigram[]): readonly Plausible[] {
  const found: Plausible[] = [];
  for (const charset of singleByteCharsets()) {
    if (trigrams.some(({ byte }) => charset.high[byte - 128] === undefined)) continue;
    found.push({ charset, score: charset.prior + scoreOf(charset, trigrams) });
  }
  return found.sort((one, other) => other.score - one.score);
}

/** The best over all languages; signs that no language owns are the same for all. */
function scoreOf(charset: SingleByteCharset, trigrams: readonly Trigram[]): number {
  const characterOf = (byte: number): string =>
    byte < 128 ? String.fromCharCode(byte) : (charset.high[byte - 128] ?? '\u0000');
  let signs = 0;
  const letters: {
    readonly character: string;
    readonly penalty: number;
    readonly count: number;
    readonly isLatin: boolean;
  }[] = [];
  for (const { before, byte, after, count } of trigrams) {
    const [previous, character, next] = [characterOf(before), characterOf(byte), characterOf(after)];
    const context = signScore(previous, character, next);
    if (context !== undefined) {
      signs += count * context;
      continue;
    }
    let penalty = 0;
    const isUpper = character !== character.toLowerCase();
    if (isUpper && isLower(previous)) penalty += CAPITAL_INSIDE;
    // A word in capitals has capitals only, and then they are as frequent as other letters.
    if (isUpper && (isUpperCase(previous) || (isUpperCase(next) && !isLower(previous)))) penalty += 1.5;
    if (!isUpper && isUpperCase(previous) && isUpperCase(next)) penalty += CAPITAL_INSIDE;
    const isLatin = isLatinLetter(character);
    if (isLetter(previous) && isLatinLetter(previous) !== isLatin) penalty += MIXED_SCRIPT;
    if (isLetter(next) && isLatinLetter(next) !== isLatin) penalty += MIXED_SCRIPT;
    letters.push({ character, penalty, count, isLatin });
  }
  if (letters.length === 0) return signs;
  let best = -Infinity;
  for (const { logShares } of LANGUAGES) {
    let sum = 0;
    for (const { character, penalty, count } of letters)
      sum += count * ((logShares.get(character) ?? FOREIGN) + penalty);
    best = Math.max(best, sum);
  }
  return signs + best;
}

const isLetter = (character: string): boolean => /^\p{L}/u.test(character);
const isLower = (character: string): boolean => /^\p{Ll}/u.test(character);
const isUpperCase = (character: string): boolean => /^\p{Lu}/u.test(character);
const isLatinLetter = (character: string): boolean => /^\p{Script=Latin}/u.test(character);
const isDigit = (character: string): boolean => character >= '0' && character <= '9';
const isEdge = (character: string): boolean => !isLetter(character) && !isDigit(character);

/** How probable a sign is between its neighbours; undefined: it is a letter or a mark of one. */
function signScore(previous: string, character: string, next: string): number | undefined {
  const good = (is: boolean): number => (is ? -2 : -6.5);
  switch (character) {
    case '°':
      return /[CFKcf]/.test(next) ? -1 : good((isDigit(previous) || isEdge(previous)) && !/\p{Ll}/u.test(next));
    case 'µ':
    case 'μ':
      // The Greek letter as such is one of a word.
      return isLetter(previous) || next > '\u007f'
        ? character === 'μ'
          ? undefined
          : -7
        : good(/[AFHSVWTsmgl]/.test(next));
    case 'Ω':
      return /[\u0370-\u03ff]/.test(previous + next)
        ? undefined
        : good(isEdge(previous) || isDigit(previous) || /[kMmGµ]/.test(previous));
    case '²':
    case '³':
      return good(/[a-zA-Z]/.test(previous) && !isLetter(next));
    case '€':
    case '£':
      return good(isDigit(previous) || isDigit(next) || (isEdge(previous) && isEdge(next))) - 0.5;
    case '§':
      return good(isEdge(previous) && !isLetter(next)) - 0.5;
    case '±':
      return good(isDigit(next) || (isEdge(previous) && isEdge(next))) - 0.5;
    case '½':
    case '¼':
    case '¾':
      return good(isDigit(previous) || isEdge(previous)) - 1.5;
    case '«':
    case '»':
    case '„':
    case '“':
    case '”':
    case '‘':
    case '‚':
    case '‹':
    case '›':
    case '–':
    case '—':
    case '…':
      return good(isEdge(previous) || isEdge(next));
    case '’':
      return good(!isDigit(previous) && (isLetter(previous) || isEdge(previous)));
    case '\u00a0':
      return good(!(isLetter(previous) && isLetter(next))) - 1;
    case '•':
    case '·':
    case '×':
    case '†':
    case '№':
      return good(isEdge(previous) || isEdge(next)) - 1.5;
    case '©':
    case '®':
    case '™':
    case '¿':
    case '¡':
    case 'º':
    case 'ª':
      return good(isEdge(previous) || isEdge(next) || isDigit(previous)) - 2.5;
    default:
      if (character >= '\u2500' && character <= '\u259f') return boxScore(previous, character, next);
      return /^[\p{L}\p{M}]/u.test(character) ? undefined : FOREIGN - 1;
  }
}

/** Lines and corners stand with others of a frame, shades with their like. */
function boxScore(previous: string, character: string, next: string): number {
  if (isLetter(previous) || isLetter(next)) return FOREIGN - 1;
  if (character === previous || character === next) return -1.5;
  const isFramed = /[─═]/.test(previous + next) || (/[│║]/.test(character) && isEdge(previous) && isEdge(next));
  return isFramed ? -4 : FOREIGN - 1;
}
