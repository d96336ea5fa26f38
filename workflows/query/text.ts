import { bytesText, durationText, plural, shortened } from '../../grid/figures.ts';
import type { JobText, Told, ToldTable } from '../job/told.ts';
import type { Answer } from './answer.ts';
import type { QueryProgress } from './contract.ts';

const MOST_SQL = 300;
const MOST_COLUMNS = 12;
const MOST_FIELD = 60;

/** How a statement of Hive SQL and its answer are told. */
export const queryText = {
  progress: ({ sql, phase, rows }) => ({
    title: shortened(oneLine(sql), MOST_SQL),
    headline: phase === 'ended' && rows > 0 ? `${phase}: ${plural(rows, 'row')}` : phase,
  }),
  brief: ({ sql, phase, rows }) => ({
    amount: rows === 0 ? '' : plural(rows, 'row'),
    rest: `${phase}: ${shortened(oneLine(sql), 60)}`,
  }),
  result: (result) => answerTold(result, shortened(oneLine(result.sql), MOST_SQL)),
} satisfies JobText<QueryProgress, Answer>;

/** An answer of Hive, with its first rows. */
export function answerTold(result: Answer, title: string): Told {
  const { kind, rows, isCut, path, bytes, durationMs, columnCount } = result;
  if (kind === 'write') return { title, headline: `done in ${durationText(durationMs)}` };
  return {
    title,
    headline: `${isCut ? 'the first ' : ''}${plural(rows, 'row')} of ${plural(columnCount, 'column')} in ${durationText(durationMs)}`,
    sentences: [
      ...(path === null ? [] : [`All of them are in ${path} (${bytesText(bytes)}).`]),
      ...(isCut ? ['There are more rows; raise maxRows for them.'] : []),
    ],
    tables: result.firstRows.length === 0 ? [] : [firstRows(result)],
  };
}

function firstRows({ columns, firstRows: rows, rows: count }: Answer): ToldTable {
  const shown = columns.slice(0, MOST_COLUMNS);
  return {
    columns: shown.map(({ name, type }) => ({ heading: name, isFigure: isFigure(type) })),
    rows: rows.map((row) => row.slice(0, MOST_COLUMNS).map((field) => shortened(field ?? 'NULL', MOST_FIELD))),
    ...(count > rows.length ? { more: count - rows.length } : {}),
  };
}

/** Whether a type of Hive is one of numbers. */
export function isFigure(type: string): boolean {
  return /^(?:tinyint|smallint|int|bigint|float|double|decimal)/.test(type);
}

function oneLine(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}
