import type { SideResult } from './run.ts';

const FIGURES = [
  { title: 'records/s', of: (result: SideResult) => result.recordsPerSecond, digits: 0 },
  { title: 'CPU s per million', of: (result: SideResult) => result.cpuSecondsPerMillion, digits: 1 },
  { title: 'peak MiB', of: (result: SideResult) => result.peakResidentMiB, digits: 0 },
] as const;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

const number = (value: number, digits: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/**
 * A Markdown table of medians (least–most), and one of each pair's ratios: of the medians, and run by run, which what else the
 * machine does disturbs less, since it slows neighbouring runs alike.
 */
export function comparisonTables(sides: ReadonlyMap<string, readonly SideResult[]>): string {
  const lines = [`| side | ${FIGURES.map(({ title }) => title).join(' | ')} |`, '|---|---|---|---|'];
  for (const [side, results] of sides) {
    const cells = FIGURES.map(({ of, digits }) => {
      const values = results.map(of);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return `${number(median(values), digits)} (${number(least, digits)}–${number(most, digits)})`;
    });
    lines.push(`| ${side} | ${cells.join(' | ')} |`);
  }
  lines.push('', `| ratio | ${FIGURES.map(({ title }) => title).join(' | ')} |`, '|---|---|---|---|');
  const names = [...sides.keys()];
  for (const [at, numerator] of names.entries()) {
    for (const denominator of names.slice(at + 1)) {
      const cells = FIGURES.map(({ of }) => {
        const above = (sides.get(numerator) ?? []).map(of);
        const below = (sides.get(denominator) ?? []).map(of);
        const byRun = above.map((value, run) => value / (below[run] ?? NaN));
        const ofMedians = (median(above) / median(below)).toFixed(2);
        return `${ofMedians}; by run ${median(byRun).toFixed(2)} (${Math.min(...byRun).toFixed(2)}–${Math.max(...byRun).toFixed(2)})`;
      });
      lines.push(`| ${numerator} : ${denominator} | ${cells.join(' | ')} |`);
    }
  }
  return lines.join('\n');
}
