import { bytesText, countText, plural, rateText, shown } from '../../../../grid/figures.ts';
import { importText } from '../../../../workflows/import/text.ts';
import type { ImportState } from '../import/import-state.ts';
import type { Places } from './places.ts';

const RETRY = 'Try again with `npm run job -- retry`; readings stream on.';
const MOST_TABLES = 12;
const MOST_FAILURES = 6;
const LONGEST_LINE = 700;
const LONGEST_REST = 120;

/** Of the import: what is done of how much, for a row of the view or a part of a line. */
export interface ImportFigures {
  readonly amount: string;
  readonly rate: string;
  readonly rest: string;
}

/** Undefined when there is no import. */
export function importFigures(state: ImportState): ImportFigures | undefined {
  switch (state.kind) {
    case 'off':
    case 'interrupted':
      return undefined;
    case 'waiting':
      return { amount: 'waits', rate: '', rest: `for ${state.waitsFor}` };
    case 'failed':
      return { amount: 'failed', rate: '', rest: '`npm run job -- retry` tries again' };
    case 'running': {
      const { progress, rowsPerSecond } = state;
      if (progress === undefined) return { amount: 'starting', rate: '', rest: '' };
      const { amount, rest } = importText.brief(progress);
      const rate = progress.total.tables === 0 ? '' : rateText(rowsPerSecond);
      return { amount: shown(amount, 60), rate, rest: shown(rest, LONGEST_REST) };
    }
    case 'done': {
      const { summary } = state;
      const rate = summary.durationMs === 0 ? undefined : (summary.rows * 1_000) / summary.durationMs;
      return {
        amount: `${countText(rowsInHive(summary))} rows`,
        rate: summary.rows === 0 ? '' : rateText(rate),
        rest: `${plural(summary.publishedTables + summary.unchangedTables, 'table')} in Hive${summary.rows === 0 ? ', nothing new' : ''}`,
      };
    }
  }
}

/** What is to be said once when the import has come to this; undefined for nothing. */
export function importNews(state: ImportState, places: Pick<Places, 'temporalUrl' | 'hive'>): string | undefined {
  switch (state.kind) {
    case 'waiting':
      return undefined;
    case 'off':
      return state.reason === '' ? undefined : `No import of SQL history: ${state.reason}`;
    case 'running':
      return `Importing SQL history; workflow ${workflowText(state.workflowId, places)}`;
    case 'failed':
      return failedText(state);
    case 'interrupted':
      return `The import of SQL history (${state.workflowId}) goes on with the next start.`;
    case 'done':
      return doneText(state, places);
  }
}

/** One sentence with what to do; below it, where there are several, what failed in particular. */
function failedText({ message, workflowId }: Extract<ImportState, { kind: 'failed' }>): string {
  const [first = '', ...others] = message.split('\n').filter((line) => line.trim() !== '');
  const advice = workflowId === undefined ? 'Readings stream on; the next start tries again.' : RETRY;
  const told = others.slice(0, MOST_FAILURES).map((line) => `  ${shown(line.trim(), LONGEST_LINE)}`);
  if (others.length > told.length)
    told.push(`  and ${plural(others.length - told.length, 'more line')}: see the workflow`);
  return [`The import of SQL history failed: ${sentence(first)} ${advice}`, ...told].join('\n');
}

function doneText(
  { summary, workflowId }: Extract<ImportState, { kind: 'done' }>,
  places: Pick<Places, 'temporalUrl' | 'hive'>,
): string {
  const { tables } = summary;
  const each = tables
    .slice(0, MOST_TABLES)
    .map(
      (table) =>
        `${shown(tableName(table), 60)} ${countText(rowsOf(table))}${table.state === 'unchanged' ? ' (unchanged)' : ''}`,
    );
  const more = summary.publishedTables + summary.unchangedTables - each.length;
  return [
    shown(importText.result(summary).headline, LONGEST_LINE),
    `  In Hive (${places.hive.url}), database ${places.hive.database}: ${each.join(', ')}${more > 0 ? `, and ${countText(more)} more` : ''}`,
    ...(summary.skippedTables > 0
      ? [`  Left out: ${plural(summary.skippedTables, 'table')}; the workflow says why`]
      : []),
    ...summary.notes.map((note) => `  ${shown(note, 300)}`),
    `  Workflow ${workflowText(workflowId, places)}`,
  ].join('\n');
}

/** In the end: what there is in Hive and HDFS; undefined when nothing was imported. */
export function keptHistoryText(
  state: ImportState,
  places: Pick<Places, 'hive'>,
  hdfs: { readonly files: number; readonly bytes: number } | undefined,
): string | undefined {
  if (state.kind !== 'done') return undefined;
  const { summary } = state;
  const tables = summary.publishedTables + summary.unchangedTables;
  const inHdfs = hdfs === undefined ? '' : `, ${plural(hdfs.files, 'file')} of ${bytesText(hdfs.bytes)} in HDFS`;
  return `History: ${countText(rowsInHive(summary))} rows of ${plural(tables, 'table')} in Hive database ${places.hive.database}${inHdfs}.`;
}

type Summary = Extract<ImportState, { kind: 'done' }>['summary'];
type Table = Summary['tables'][number];

/** What Hive's tables hold of the source: all rows that it had at the import's moment. */
function rowsInHive({ tables, publishedTables, unchangedTables }: Summary): number | undefined {
  // Of very many tables the summary names but some.
  if (tables.length < publishedTables + unchangedTables) return undefined;
  return tables.reduce((sum, table) => sum + rowsOf(table), 0);
}

function rowsOf(table: Table): number {
  return table.state === 'published' ? table.sourceRows : table.rows;
}

function tableName(table: Table): string {
  return table.state === 'published' ? table.hiveTable.split('.').slice(1).join('.') : table.table.name;
}

function workflowText(workflowId: string, { temporalUrl }: Pick<Places, 'temporalUrl'>): string {
  return temporalUrl === undefined ? workflowId : `${temporalUrl}/workflows/${encodeURIComponent(workflowId)}`;
}

function sentence(text: string): string {
  const line = shown(text, LONGEST_LINE).trim();
  return /[.!?…]$/.test(line) ? line : `${line}.`;
}
