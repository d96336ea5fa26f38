import type { ImportProgress, ParkedTable, TableProgress } from './contract.ts';
import { qualifiedName } from './import-run.ts';

const MOST_ROWS = 50;
const LONGEST_REASON = 300;
const HEADINGS = ['table', 'state', 'splits', 'rows', 'MB/s', 'ETA'];

/** Progress as Markdown, for the details of the workflow in the Web UI. */
export function progressText(progress: ImportProgress): string {
  const { total, phase, runId, source, database, snapshot } = progress;
  const of = source === undefined ? '' : ` of ${source}${database === undefined ? '' : `, database ${cell(database)}`}`;
  const lines = [`Import **${runId}**${of}: **${phase}**`];
  if (snapshot !== undefined) lines.push(`as of ${snapshot.takenAt}`);
  if (total.tables > 0) {
    const parked = total.tablesParked === 0 ? '' : `, ${total.tablesParked} parked`;
    lines.push(
      `${total.tablesDone} of ${total.tables} tables done${parked}; ${total.splitsDone} of ${total.splits} splits; ` +
        `${count(total.rows)} of about ${count(total.estimatedRows)} rows${pace(total)}`,
    );
  }
  if (phase === 'waiting for retryFailed') {
    lines.push('The signal `retryFailed` lets it try the parked tables again.');
  }
  if (progress.tables.length > 0) {
    const rows = progress.tables.slice(0, MOST_ROWS).map(tableRow);
    lines.push([tableLine(HEADINGS), '|---|---|--:|--:|--:|--:|', ...rows].join('\n'));
    const more = total.tables - Math.min(MOST_ROWS, progress.tables.length);
    if (more > 0) lines.push(`and ${more} more tables`);
  }
  return lines.join('\n\n');
}

function tableRow(table: TableProgress): string {
  const { state, splits, splitsDone, rows, estimatedRows, bytesPerSecond, etaSeconds, reason } = table;
  const why = reason === undefined ? '' : `: ${cell(shortened(reason))}`;
  const figures =
    splits === 0 && rows === 0
      ? ['', '']
      : [`${splitsDone} / ${splits}`, `${count(rows)} / ${count(Math.max(rows, estimatedRows))}`];
  const cells = [
    cell(qualifiedName(table.table)),
    `${state}${why}`,
    ...figures,
    bytesPerSecond === undefined ? '' : megabytes(bytesPerSecond),
    etaSeconds === undefined ? '' : duration(etaSeconds),
  ];
  return tableLine(cells);
}

/** The Web UI sets cells side by side, which makes one number of two; an em space is the only space that it leaves in a cell. */
function tableLine(cells: readonly string[]): string {
  return `| ${cells.join('\u2003 | ')} |`;
}

/** What is parked and why, as a table in plain text. */
export function parkedText(parked: readonly ParkedTable[]): string {
  const listed = parked.slice(0, MOST_ROWS).map(({ table, splits, code, reason }) => {
    const which = splits.length === 0 ? 'whole table' : `split${splits.length === 1 ? '' : 's'} ${listOf(splits)}`;
    return [qualifiedName(table), which, `${code}: ${shortened(reason)}`] as const;
  });
  const widths = [0, 1].map((at) => Math.max(...listed.map((cells) => cells[at]?.length ?? 0)));
  const lines = listed.map(
    ([table, which, why]) => `${table.padEnd(widths[0] ?? 0)}  ${which.padEnd(widths[1] ?? 0)}  ${why}`,
  );
  if (parked.length > listed.length) lines.push(`and ${parked.length - listed.length} more tables`);
  return lines.join('\n');
}

function listOf(splits: readonly number[]): string {
  const first = splits.slice(0, 10).join(', ');
  return splits.length <= 10 ? first : `${first} and ${splits.length - 10} more`;
}

function pace({ bytesPerSecond, etaSeconds }: ImportProgress['total']): string {
  const speed = bytesPerSecond === undefined ? '' : `, ${megabytes(bytesPerSecond)} MB/s`;
  return etaSeconds === undefined ? speed : `${speed}, about ${duration(etaSeconds)} left`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Digits in groups of three. */
function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

function shortened(text: string): string {
  return text.length <= LONGEST_REASON ? text : `${text.slice(0, LONGEST_REASON - 1)}…`;
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
