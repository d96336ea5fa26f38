/**
 * Text as every store can hold it, and as it is wherever it has no character that some cannot: a NUL, which PostgreSQL refuses, half
 * a surrogate pair, which UTF-8 does not have, or U+0001, which stands between texts that are compared as one. Text with such a character is written with JSON's escapes, so that different texts stay different.
 */
export function storableText(text: string): string {
  return text.includes('\0') || text.includes('\u0001') || !text.isWellFormed()
    ? JSON.stringify(text).slice(1, -1)
    : text;
}
