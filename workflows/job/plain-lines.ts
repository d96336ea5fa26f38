import { shown } from '../../grid/figures.ts';
import type { Told, ToldTable } from './told.ts';

const LONGEST_CELL = 300;
const LONGEST_SENTENCE = 1_000;

/**
 * What is told, as lines for a terminal or a log, the headline first. Nothing in them can steer a terminal.
 *
 * @param tableRows rows of each table that there is room for
 */
export function plainLines({ headline, sentences = [], tables = [] }: Told, tableRows: number): string[] {
  return [
    line(headline, LONGEST_SENTENCE),
    ...sentences.map((sentence) => line(sentence, LONGEST_SENTENCE)),
    ...tables.flatMap((table) => tableLines(table, tableRows)),
  ];
}

/** Rows of cells as lines in which the cells stand below each other. */
export function alignedLines(rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => line(cell, LONGEST_CELL)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function tableLines({ columns, rows, more = 0 }: ToldTable, most: number): string[] {
  const fitting = rows.slice(0, most);
  if (fitting.length === 0) return [];
  // A column in which nothing stands only makes the lines longer.
  const filled = [...columns.keys()].filter((column) => fitting.some((row) => (row[column] ?? '') !== ''));
  const pick = (row: readonly string[]): string[] => filled.map((column) => row[column] ?? '');
  const hidden = rows.length - fitting.length + more;
  const lines = alignedLines([pick(columns.map(({ heading }) => heading)), ...fitting.map(pick)]);
  return hidden === 0 ? lines : [...lines, `and ${hidden} more`];
}

function line(text: string, most: number): string {
  return shown(text.replaceAll(/\s*\n\s*/g, ' / ').trim(), most);
}
