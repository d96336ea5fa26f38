/** Names that somebody who wrote `wanted` may have meant, the likeliest first. */
export function nearNames(wanted: string, names: readonly string[], most = 3): readonly string[] {
  const lower = wanted.toLowerCase();
  const own = lower.slice(lower.lastIndexOf('.') + 1);
  return names
    .map((name) => {
      const other = name.toLowerCase();
      const last = other.slice(other.lastIndexOf('.') + 1);
      const distance = Math.min(editDistance(lower, other), editDistance(own, last));
      return { name, distance };
    })
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(own.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
}

/** Characters to add, drop or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (previous[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
