import { bytesText, countText, durationText, plural, shortened } from '../../grid/figures.ts';
import { alignedLines } from '../job/plain-lines.ts';
import type { JobText, Told, ToldTable } from '../job/told.ts';
import type { ImportProgress, ImportSummary, ParkedTable, TableProgress } from './contract.ts';
import { withinStretches } from './within-stretches.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

const MOST_ROWS = 50;
const LONGEST_REASON = 300;

/** How an import is told. */
export const importText = {
  progress: progressTold,
  result: resultTold,
  brief({ phase, total, tables }) {
    if (total.tables === 0) return { amount: phase, rest: '' };
    const current = tables.find(({ state }) => state === 'copying' || state === 'copied' || state === 'publishing');
    const rest = [
      `${countText(total.tablesDone)} of ${plural(total.tables, 'table')}`,
      current === undefined ? '' : shortened(nameOfTable(current.table), 40),
      total.etaSeconds === undefined ? '' : `${durationText(total.etaSeconds * 1_000)} left`,
    ];
    // The estimate is the source's statistics', so it may be passed.
    const estimated = Math.max(total.rows, total.estimatedRows);
    return { amount: `${countText(total.rows)} of ${countText(estimated)} rows`, rest: listed(rest) };
  },
  withHeartbeats: withinStretches,
  waitsForRetry({ phase, tables }) {
    if (phase !== 'waiting for retryFailed') return undefined;
    const parked = tables.filter(({ state }) => state === 'parked');
    const reasons = parked.slice(0, 3).map(({ table, reason }) => `${nameOfTable(table)}: ${reason ?? 'it is parked'}`);
    const more = parked.length - reasons.length;
    return [...reasons, ...(more > 0 ? [`and ${plural(more, 'more table')}`] : [])].join('; ');
  },
} satisfies JobText<ImportProgress, ImportSummary>;

function progressTold({ total, phase, runId, source, database, snapshot, tables }: ImportProgress): Told {
  const of = source === undefined ? '' : ` of ${source}${database === undefined ? '' : `, database ${database}`}`;
  const parts = [
    total.tables === 0 ? '' : `${countText(total.tablesDone)} of ${plural(total.tables, 'table')} done`,
    total.tablesParked === 0 ? '' : `${countText(total.tablesParked)} parked`,
    total.splits < 2 ? '' : `${countText(total.splitsDone)} of ${countText(total.splits)} splits`,
    rowsText(total),
    total.textBytes === 0 ? '' : bytesText(total.textBytes),
    speedText(total),
    leftText(total),
  ];
  const told = listed(parts);
  return {
    title: `Import ${runId}${of}`,
    headline: told === '' ? phase : `${phase}: ${told}`,
    sentences: [
      ...(snapshot === undefined ? [] : [`As of ${snapshot.takenAt}.`]),
      ...(phase === 'waiting for retryFailed' ? ['The signal `retryFailed` lets it try the parked tables again.'] : []),
    ],
    tables: [
      {
        columns: [
          { heading: 'table' },
          { heading: 'state' },
          { heading: 'splits', isFigure: true },
          { heading: 'rows', isFigure: true },
          { heading: 'speed', isFigure: true },
          { heading: 'left', isFigure: true },
          { heading: 'why' },
        ],
        rows: tables.slice(0, MOST_ROWS).map(tableRow),
        more: total.tables - Math.min(MOST_ROWS, tables.length),
      },
    ],
  };
}

function tableRow(progress: TableProgress): readonly string[] {
  const { table, state, splits, splitsDone, rows, estimatedRows, reason = '' } = progress;
  const isPlanned = splits > 0 || rows > 0;
  return [
    nameOfTable(table),
    state,
    isPlanned ? `${countText(splitsDone)} of ${countText(splits)}` : '',
    isPlanned ? `${countText(rows)} of ${countText(Math.max(rows, estimatedRows))}` : '',
    speedText(progress),
    leftText(progress),
    shortened(reason, LONGEST_REASON),
  ];
}

/** What became of all tables, then why some were imported in another way than asked for, or not at all. */
function resultTold(summary: ImportSummary): Told {
  const { tables, skipped, parked } = summary;
  const remarks = tables.flatMap((table) =>
    table.state === 'published'
      ? table.remarks.map((remark) => [
          `${nameOfTable(table.table)}.${remark.column}`,
          remark.sourceType,
          remark.done,
          remark.reason,
        ])
      : [],
  );
  return {
    headline: resultHeadline(summary),
    sentences: [
      tablesSentence(summary),
      ...summary.notes,
      ...tables.flatMap((table) => (table.state === 'published' ? table.notes : [])),
    ],
    tables: [
      toldTable(['column', 'type', 'done', 'why'], remarks),
      parkedTold(parked, summary.parkedTables),
      toldTable(
        ['skipped', 'why'],
        skipped.map(({ table, reason }) => [nameOfTable(table), reason]),
        summary.skippedTables,
      ),
    ],
  };
}

function resultHeadline(summary: ImportSummary): string {
  const { product, database, tables, publishedTables, unchangedTables, parkedTables, durationMs } = summary;
  const from = `${product}, database ${database}`;
  const took = durationText(durationMs);
  if (publishedTables === 0 && parkedTables === 0) {
    return `Nothing to import from ${from}: ${plural(unchangedTables, 'table')} without changes since the last import (${took}).`;
  }
  const isVerified = publishedTables > 0 && tables.every((table) => table.state === 'unchanged' || table.verified);
  return (
    `Imported ${plural(publishedTables, 'table')} of ${from}: ${countText(summary.rows)} rows in ${took}, ` +
    `${bytesText(summary.textBytes)} of text as ${bytesText(summary.fileBytes)} in HDFS, ${plural(summary.splits, 'split')}${isVerified ? ', verified' : ''}.`
  );
}

function tablesSentence(summary: ImportSummary): string {
  const counts = [
    `${countText(summary.publishedTables)} published`,
    `${countText(summary.unchangedTables)} unchanged`,
    summary.skippedTables === 0 ? '' : `${countText(summary.skippedTables)} skipped`,
    summary.parkedTables === 0 ? '' : `${countText(summary.parkedTables)} parked`,
  ];
  return `Run ${summary.runId}: tables ${listed(counts)}.`;
}

function parkedTold(parked: readonly ParkedTable[], count: number): ToldTable {
  const rows = parked.map(({ table, splits, code, reason }) => {
    const which = splits.length === 0 ? 'whole table' : `split${splits.length === 1 ? '' : 's'} ${listOf(splits)}`;
    return [nameOfTable(table), which, `${code}: ${shortened(reason, LONGEST_REASON)}`];
  });
  return toldTable(['left undone', 'of it', 'why'], rows, count);
}

/** What is parked and why, as lines of plain text, for the message of a failure. */
export function parkedText(parked: readonly ParkedTable[]): string {
  const { rows, more = 0 } = parkedTold(parked, parked.length);
  return [...alignedLines(rows), ...(more > 0 ? [`and ${plural(more, 'more table')}`] : [])].join('\n');
}

/** @param count of all, of which the rows may be the first */
function toldTable(headings: readonly string[], rows: readonly (readonly string[])[], count = rows.length): ToldTable {
  const first = rows.slice(0, MOST_ROWS);
  return { columns: headings.map((heading) => ({ heading })), rows: first, more: count - first.length };
}

function listOf(splits: readonly number[]): string {
  const first = splits.slice(0, 10).join(', ');
  return splits.length <= 10 ? first : `${first} and ${splits.length - 10} more`;
}

function rowsText({ rows, estimatedRows }: ImportProgress['total']): string {
  if (rows === 0 && estimatedRows === 0) return '';
  // An estimate that has been passed says nothing any more.
  if (estimatedRows < rows || estimatedRows === 0) return `${countText(rows)} rows`;
  return `${countText(rows)} of about ${countText(estimatedRows)} rows (${Math.floor((rows / estimatedRows) * 100)} %)`;
}

function speedText({ bytesPerSecond }: Pick<TableProgress, 'bytesPerSecond'>): string {
  return bytesPerSecond === undefined || bytesPerSecond === 0 ? '' : `${bytesText(bytesPerSecond)}/s`;
}

function leftText({ etaSeconds }: Pick<TableProgress, 'etaSeconds'>): string {
  return etaSeconds === undefined ? '' : `${durationText(etaSeconds * 1_000)} left`;
}

function listed(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
