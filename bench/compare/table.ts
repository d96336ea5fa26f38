import type { SideResult } from './result.ts';

/** A column of the tables. */
export interface Figure<Result> {
  readonly title: string;
  /** Undefined where it was not measured. */
  readonly of: (result: Result) => number | undefined;
  readonly digits: number;
}

/** What every comparison shows. `noun` is what its records are called, in the plural. */
export function commonFigures(noun: string): readonly Figure<SideResult>[] {
  return [
    { title: `${noun}/s`, of: (result) => result.recordsPerSecond, digits: 0 },
    { title: 'CPU s per million', of: (result) => result.cpuSecondsPerMillion, digits: 1 },
    { title: 'peak MiB', of: (result) => result.peakResidentMiB, digits: 0 },
  ];
}

const NOT_MEASURED = '–';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

const number = (value: number, digits: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Undefined when one run lacks the figure. */
function valuesOf<Result>(figure: Figure<Result>, results: readonly Result[]): readonly number[] | undefined {
  const values = results.map(figure.of).filter((value) => value !== undefined);
  return values.length === results.length && values.length > 0 ? values : undefined;
}

function medianCell<Result>(figure: Figure<Result>, results: readonly Result[]): string {
  const values = valuesOf(figure, results);
  if (values === undefined) return NOT_MEASURED;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${number(median(values), figure.digits)} (${number(least, figure.digits)}–${number(most, figure.digits)})`;
}

function ratioCell<Result>(figure: Figure<Result>, numerator: readonly Result[], denominator: readonly Result[]) {
  const above = valuesOf(figure, numerator);
  const below = valuesOf(figure, denominator);
  if (above === undefined || below === undefined) return NOT_MEASURED;
  const byRun = above.map((value, run) => value / (below[run] ?? NaN));
  const ofMedians = (median(above) / median(below)).toFixed(2);
  return `${ofMedians}; by run ${median(byRun).toFixed(2)} (${Math.min(...byRun).toFixed(2)}–${Math.max(...byRun).toFixed(2)})`;
}

/**
 * A Markdown table of medians (least–most), and one of the first side's ratios to each other: of the medians, and run by run,
 * which what else the machine does disturbs less, since it slows neighbouring runs alike.
 */
export function comparisonTables<Result>(
  sides: ReadonlyMap<string, readonly Result[]>,
  figures: readonly Figure<Result>[],
): string {
  const header = (first: string) => [
    `| ${[first, ...figures.map(({ title }) => title)].join(' | ')} |`,
    `|${'---|'.repeat(figures.length + 1)}`,
  ];
  const row = (first: string, cells: readonly string[]) => `| ${[first, ...cells].join(' | ')} |`;
  const lines = header('side');
  for (const [side, results] of sides) {
    lines.push(
      row(
        side,
        figures.map((figure) => medianCell(figure, results)),
      ),
    );
  }
  const [first, ...others] = sides;
  if (first === undefined) return lines.join('\n');
  lines.push('', ...header('ratio'));
  for (const [side, results] of others) {
    lines.push(
      row(
        `${first[0]} : ${side}`,
        figures.map((figure) => ratioCell(figure, first[1], results)),
      ),
    );
  }
  return lines.join('\n');
}
