/** Words counted in another way than by Hive: one pass over the text in memory. */
export interface IndependentCount {
  readonly total: number;
  readonly distinct: number;
  readonly emptyTokens: number;
  of(word: string): number;
  /** The most frequent first; of equally frequent ones by their UTF-8. */
  top(most: number): { readonly word: string; readonly count: number }[];
}

/** Lines end with LF, CR or CRLF; the last may have no end. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

export function countOf(
  texts: readonly string[],
  { tokenizer = 'space', lower = false }: { readonly tokenizer?: 'space' | 'unicode'; readonly lower?: boolean } = {},
): IndependentCount {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const line of linesOf(text)) {
      const words = tokenizer === 'space' ? line.split(' ') : (line.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []);
      for (const each of words) {
        const word = lower ? each.toLowerCase() : each;
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
  }
  return {
    total: [...counts.values()].reduce((sum, count) => sum + count, 0),
    distinct: counts.size,
    emptyTokens: counts.get('') ?? 0,
    of: (word) => counts.get(word) ?? 0,
    top: (most) =>
      [...counts]
        .sort(([a, n], [b, m]) => m - n || Buffer.compare(Buffer.from(a), Buffer.from(b)))
        .slice(0, most)
        .map(([word, count]) => ({ word, count })),
  };
}
