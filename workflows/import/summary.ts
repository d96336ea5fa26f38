import type { ImportRun, OpenedImport } from './activity-contract.ts';
import type { ImportedTable, ImportSummary, ParkedTable } from './contract.ts';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import { parkedText } from './text.ts';
import { parkedOf, type TableWork } from './table-work.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

/** Fits into what Temporal stores comfortably, however many tables there are. */
const MOST_TABLES = 500;
const COMFORTABLE_CHARACTERS = 400_000;

export interface ImportEnd {
  readonly run: ImportRun;
  readonly opened: OpenedImport;
  readonly works: readonly TableWork[];
  readonly notes: readonly string[];
  readonly snapshot?: SourceSnapshot;
  readonly durationMs: number;
}

export function summaryOf({ run, opened, works, notes, snapshot, durationMs }: ImportEnd): ImportSummary {
  const published = works.filter((work) => work.state === 'published');
  const unchanged = works.filter((work) => work.state === 'unchanged');
  const gone = works.filter((work) => work.state === 'gone');
  const parked = works.map(parkedOf).filter((table) => table !== undefined);
  const skipped = [...opened.skipped, ...gone.map(({ table, reason }) => ({ table, reason }))];
  const imported = works.flatMap((work): ImportedTable[] => {
    if (work.state === 'unchanged') return [{ state: 'unchanged', table: work.table, rows: work.rows }];
    return work.state === 'published' && work.result !== undefined ? [{ state: 'published', ...work.result }] : [];
  });
  const tables = comfortable(imported);
  const sum = (figure: (work: (typeof published)[number]) => number): number =>
    published.reduce((total, work) => total + figure(work), 0);
  return {
    runId: run.runId,
    source: run.source,
    product: opened.product,
    database: opened.database,
    businessDate: run.businessDate,
    mode: run.input.mode,
    consistency: opened.consistency,
    notes: [...opened.notes, ...notes],
    ...(snapshot === undefined ? {} : { snapshot }),
    tables,
    tablesLeftOut: published.length + unchanged.length - tables.length,
    skipped: comfortable(skipped),
    parked: comfortable(parked),
    publishedTables: published.length,
    unchangedTables: unchanged.length,
    skippedTables: skipped.length,
    parkedTables: parked.length,
    rows: sum(({ figures }) => figures.rows),
    textBytes: sum(({ figures }) => figures.textBytes),
    fileBytes: sum(({ figures }) => figures.fileBytes),
    splits: sum(({ splits }) => splits),
    durationMs,
  };
}

/** As many of the first as one payload bears. */
function comfortable<T>(values: readonly T[]): readonly T[] {
  const first: T[] = [];
  let characters = 0;
  for (const value of values.slice(0, MOST_TABLES)) {
    characters += JSON.stringify(value).length;
    if (characters > COMFORTABLE_CHARACTERS) break;
    first.push(value);
  }
  return first;
}

/** What is told of an import that left tables undone. */
export function parkedMessage(summary: ImportSummary): string {
  const { runId, product, database, parkedTables, publishedTables, unchangedTables } = summary;
  const done = publishedTables + unchangedTables;
  const others = done === 0 ? '' : `; ${done} ${done === 1 ? 'other is' : 'others are'}`;
  return (
    `Importing ${product} database ${database}, run ${runId}: ${parkedTables} of ${parkedTables + done} tables ${parkedTables === 1 ? 'is' : 'are'} not imported${others}. ` +
    `What is done is kept: retryFailedBackfills, or importSqlHistory with {"resume":"${runId}"} and the same input, does the rest.\n` +
    parkedText(summary.parked)
  );
}

/** What is told of an import of which nothing was copied, since every table was refused. */
export function refusedMessage(opened: OpenedImport, refused: readonly ParkedTable[]): string {
  const attempt = `Importing ${opened.product} database ${opened.database}`;
  const [only] = refused;
  if (refused.length === 1 && only !== undefined) {
    return `${attempt}, table ${nameOfTable(only.table)}: ${only.reason}`;
  }
  return `${attempt}: each of its ${refused.length} tables was refused, and nothing was copied.\n${parkedText(refused)}`;
}
