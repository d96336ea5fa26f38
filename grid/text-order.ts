/**
 * Whether a text comes before another by their code points, which is the order of their UTF-8 bytes: as Hive and PostgreSQL's collation "C" have
 * it. (JavaScript's `<` puts what is written as a surrogate pair before U+E000 to U+FFFF.)
 */
export function isTextBefore(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a < b : isSurrogate(b);
  }
  return one.length < other.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
