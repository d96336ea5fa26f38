import { shortened } from '../../grid/figures.ts';
import type { Told, ToldTable } from './told.ts';

const MOST_ROWS = 50;
const LONGEST_CELL = 300;

/** What is told, as Markdown for the details of a workflow in Temporal's Web UI. */
export function markdown({ title, headline, sentences = [], tables = [] }: Told): string {
  return [
    ...(title === undefined ? [] : [`**${plain(title)}**`]),
    plain(headline),
    ...sentences.map(plain),
    ...tables.flatMap(tableText),
  ].join('\n\n');
}

function tableText({ columns, rows, more = 0 }: ToldTable): readonly string[] {
  if (rows.length === 0) return [];
  const shown = rows
    .slice(0, MOST_ROWS)
    .map((row) => tableLine(row.map((cell) => plain(shortened(cell, LONGEST_CELL)))));
  const rule = `|${columns.map(({ isFigure }) => (isFigure === true ? '--:' : '---')).join('|')}|`;
  const hidden = rows.length - shown.length + more;
  return [
    [tableLine(columns.map(({ heading }) => heading)), rule, ...shown].join('\n'),
    ...(hidden === 0 ? [] : [`and ${hidden} more`]),
  ];
}

/** The Web UI sets cells side by side, which makes one number of two; an em space is the only space that it leaves in a cell. */
function tableLine(cells: readonly string[]): string {
  return `| ${cells.join('\u2003 | ')} |`;
}

/** Text that stays what it is, whatever is in it; between backticks it stays so anyway. */
function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\|*<[]/g, '\\$&');
}
