/**
 * Text as databases can hold it, and compare it by its UTF-8 bytes (PostgreSQL's collation "C", Hive): records in Kafka may have strings that are
 * no such text, since JSON can escape any code unit.
 */

/** Without NUL, in whose place its symbol ␀ stands, and without halves of surrogate pairs, for which � does. */
export function storableText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.replaceAll('\0', '␀');
}

const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

/** Negative, zero or positive, as the UTF-8 bytes compare; `<` compares UTF-16, in which characters beyond U+FFFF come before some others. */
export function compareCodePoints(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (a === b) continue;
    // A half of a pair stands for a character beyond all that have no halves.
    if (isSurrogate(a) !== isSurrogate(b)) return isSurrogate(a) ? 1 : -1;
    return a - b;
  }
  return one.length - other.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE;
}
