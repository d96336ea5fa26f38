/** Rates are over this long, or since there is something to compare with. */
const SPAN_MS = 30_000;
const SHORTEST_MS = 900;

/** How fast totals grow. */
export class RateMeter {
  readonly #samples = new Map<string, { readonly atMs: number; readonly total: number }[]>();

  note(name: string, total: number, atMs: number): void {
    const samples = this.#samples.get(name) ?? [];
    // A total that has gone back (a topic made anew) is compared with nothing before.
    const kept = (samples.at(-1)?.total ?? 0) > total ? [] : samples.filter((sample) => atMs - sample.atMs <= SPAN_MS);
    kept.push({ atMs, total });
    this.#samples.set(name, kept);
  }

  /** Per second; undefined before two samples. */
  of(name: string): number | undefined {
    const samples = this.#samples.get(name);
    const [first, last] = [samples?.[0], samples?.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < SHORTEST_MS) return undefined;
    return ((last.total - first.total) * 1_000) / (last.atMs - first.atMs);
  }
}
