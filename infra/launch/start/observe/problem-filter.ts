/**
 * Lets a problem through once it has lasted: while things start or move to another worker many are gone again in a moment.
 */
export class ProblemFilter {
  readonly #lastsMs: number;
  readonly #firstSeenMs = new Map<string, number>();

  constructor(lastsMs: number) {
    this.#lastsMs = lastsMs;
  }

  /** Those of the problems at hand that have been there for long enough; figures in them may change meanwhile. */
  lasting(problems: readonly string[], nowMs: number): string[] {
    const keys = new Set(problems.map(keyOf));
    for (const known of this.#firstSeenMs.keys()) if (!keys.has(known)) this.#firstSeenMs.delete(known);
    for (const key of keys) if (!this.#firstSeenMs.has(key)) this.#firstSeenMs.set(key, nowMs);
    return problems.filter((problem) => nowMs - (this.#firstSeenMs.get(keyOf(problem)) ?? nowMs) >= this.#lastsMs);
  }
}

/** Problems that differ in figures only (the partitions of a topic) become one. */
export function withoutRepetitions(problems: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const problem of problems) counts.set(keyOf(problem), (counts.get(keyOf(problem)) ?? 0) + 1);
  const first = new Map(problems.toReversed().map((problem) => [keyOf(problem), problem]));
  return [...counts].map(([key, count]) => `${first.get(key) ?? key}${count === 1 ? '' : ` (and ${count - 1} alike)`}`);
}

function keyOf(problem: string): string {
  return problem.replace(/\d+/g, '#');
}
