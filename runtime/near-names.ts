import { distance } from 'fastest-levenshtein';

/** Names that somebody who wrote `wanted` may have meant, the likeliest first; the last part of a dotted name counts by itself. */
export function nearNames(wanted: string, names: readonly string[], most = 3): readonly string[] {
  const lower = wanted.toLowerCase();
  const own = lower.slice(lower.lastIndexOf('.') + 1);
  return names
    .map((name) => {
      const other = name.toLowerCase();
      const last = other.slice(other.lastIndexOf('.') + 1);
      return { name, far: Math.min(distance(lower, other), distance(own, last)) };
    })
    .filter(({ far }) => far <= Math.max(1, Math.floor(own.length / 3)))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}
