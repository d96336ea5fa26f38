import { z } from 'zod';
import { bytesText, countText, durationText } from '../../grid/figures.ts';

const tableProgress = z.looseObject({
  table: z.looseObject({ schema: z.string(), name: z.string() }),
  state: z.string(),
  splits: z.number(),
  splitsDone: z.number(),
  estimatedRows: z.number(),
  rows: z.number(),
  textBytes: z.number(),
  bytesPerSecond: z.number().optional(),
  etaSeconds: z.number().optional(),
  reason: z.string().optional(),
});

/** What is shown of the answer to an import's query `progress`. */
export const shownProgress = z.looseObject({
  phase: z.string(),
  tables: z.array(tableProgress),
  total: z.looseObject({
    tables: z.number(),
    tablesDone: z.number(),
    tablesParked: z.number(),
    splits: z.number(),
    splitsDone: z.number(),
    estimatedRows: z.number(),
    rows: z.number(),
    textBytes: z.number(),
    bytesPerSecond: z.number().optional(),
    etaSeconds: z.number().optional(),
  }),
});
export type ShownProgress = z.output<typeof shownProgress>;

/** States in which there is something to tell of a table, the most telling first. */
const TOLD_STATES = ['copying', 'publishing', 'parked', 'copied', 'planned'];

/**
 * A job's progress as lines: one for the whole, then one for each table that is being worked on.
 *
 * @param progress what the query `progress` gave: an import's, or of whatever shape
 * @param tableLines tables that there is room for
 */
export function progressLines(progress: unknown, tableLines: number): string[] {
  const parsed = shownProgress.safeParse(progress);
  if (!parsed.success) return progress === undefined ? [] : [JSON.stringify(progress).slice(0, 200)];
  const { total, phase } = parsed.data;
  const parts = [
    total.tables === 0 ? '' : `${total.tablesDone} of ${total.tables} tables done`,
    total.tablesParked === 0 ? '' : `${total.tablesParked} parked`,
    rowsText(total),
    speedText(total),
  ].filter((part) => part !== '');
  const shown = parsed.data.tables
    .filter(({ state }) => TOLD_STATES.includes(state))
    .sort((one, other) => TOLD_STATES.indexOf(one.state) - TOLD_STATES.indexOf(other.state));
  const lines = shown.slice(0, tableLines).map((table) => {
    const name = `${table.table.schema}.${table.table.name}`;
    const splits = table.splits > 1 ? `split ${table.splitsDone}/${table.splits}` : '';
    const text = [rowsText(table), splits, speedText(table), table.reason?.slice(0, 120) ?? '']
      .filter((part) => part !== '')
      .join(', ');
    return `  ${name} ${table.state}${text === '' ? '' : `: ${text}`}`;
  });
  const hidden = shown.length - lines.length;
  if (hidden > 0 && tableLines > 0) lines.push(`  and ${hidden} more`);
  return [`${phase}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`, ...lines];
}

interface Amounts {
  readonly rows: number;
  readonly estimatedRows: number;
  readonly textBytes: number;
  readonly bytesPerSecond?: number | undefined;
  readonly etaSeconds?: number | undefined;
}

function rowsText({ rows, estimatedRows, textBytes }: Amounts): string {
  if (rows === 0 && estimatedRows === 0) return '';
  // An estimate that has been passed says nothing any more.
  const share = estimatedRows >= rows && estimatedRows > 0 ? Math.floor((rows / estimatedRows) * 100) : undefined;
  const of = share === undefined ? 'rows' : `of ~${countText(estimatedRows)} rows (${share} %)`;
  return `${countText(rows)} ${of}${textBytes === 0 ? '' : `, ${bytesText(textBytes)}`}`;
}

function speedText({ bytesPerSecond, etaSeconds }: Amounts): string {
  const speed = bytesPerSecond === undefined || bytesPerSecond === 0 ? [] : [`${bytesText(bytesPerSecond)}/s`];
  return [...speed, ...(etaSeconds === undefined ? [] : [`ETA ${durationText(etaSeconds)}`])].join(', ');
}
