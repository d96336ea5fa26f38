import { cellType, isNumeric } from '../text/cell-types.ts';
import type { Finding, TextSample } from '../text/sample.ts';

const LEAST_LINES = 4;
const MOST_LINES = 200;
const WIDEST = 2_000;

/**
 * A table whose columns begin at the same places in each line, with spaces within its cells (without, white space parts it as any other
 * delimiter does).
 */
export function findFixedWidth(sample: TextSample): Finding | undefined {
  const lines = sample.lines.filter((line) => line.trim() !== '').slice(0, MOST_LINES);
  if (lines.length < LEAST_LINES || lines.some((line) => line.length > WIDEST || line.includes('\t'))) return undefined;
  const body = lines.slice(1);
  const width = Math.max(...body.map((line) => line.length));
  if (body.filter((line) => Math.abs(line.length - width) <= width * 0.15).length < body.length * 0.8) return undefined;
  const starts: number[] = [];
  for (let at = 0, wasBlank = true; at < width; at++) {
    const isBlank = body.every((line) => (line[at] ?? ' ') === ' ');
    if (wasBlank && !isBlank) starts.push(at);
    wasBlank = isBlank;
  }
  if (starts.length < 2) return undefined;
  const cut = (line: string): string[] => starts.map((start, index) => line.slice(start, starts[index + 1]).trim());
  const rows = body.map(cut);
  const columns = starts.map((_, index) => {
    const types = rows.map((row) => cellType(row[index] ?? '')).filter((type) => type !== 'empty');
    const numeric = types.filter(isNumeric).length;
    const times = types.filter((type) => type === 'time').length;
    const type =
      types.length === 0
        ? 'empty'
        : numeric > types.length * 0.9
          ? (types.find((each) => each !== 'integer' && isNumeric(each)) ?? 'integer')
          : times > types.length * 0.9
            ? 'time'
            : 'text';
    return { type } as const;
  });
  const typed = columns.filter(({ type }) => isNumeric(type) || type === 'time').length;
  if (typed < 1 || typed < columns.length * 0.4) return undefined;
  return {
    detector: 'fixed-width',
    found: `${lines.length} lines with ${starts.length} columns at the same places`,
    weight: 0.6 + 0.3 * (typed / columns.length),
    format: 'text/x-fixed-width',
    facts: {
      columnStarts: starts,
      columns: columns.map(({ type }, index) => ({ name: headerOf(lines[0] ?? '', starts, index), type })),
    },
  };
}

function headerOf(line: string, starts: readonly number[], index: number): string {
  const cell = line.slice(starts[index], starts[index + 1]).trim();
  return isNumeric(cellType(cell)) ? '' : cell.slice(0, 128);
}
