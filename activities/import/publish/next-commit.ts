import { readableName } from '../../../connectors/hive/hive.ts';
import { GridError } from '../../../grid/errors.ts';
import { columnsFingerprint, hiveDatabase } from '../../../grid/history/hive-name.ts';
import type { ImportRun, TableResult } from '../../../workflows/import/activity-contract.ts';
import type { SourceSnapshot, TableId, TableOrigin, TablePlan } from '../../../grid/history/sql-source.ts';
import { tableName } from '../table-names.ts';
import type { WorkPlan } from '../plan/work-plan.ts';
import { segmentName, type CommittedColumn, type CommittedRun, type ImportCommit } from './commit.ts';
import type { RunFigures } from './verify-run.ts';

/** A run that is ready to be committed. */
export interface ReadyRun {
  readonly run: ImportRun;
  readonly table: TableId;
  readonly plan: WorkPlan;
  readonly snapshot: SourceSnapshot;
  /** Where its files lie. */
  readonly directory: string;
  readonly figures: RunFigures;
  readonly hiveTable: string;
  readonly readings?: string | undefined;
  /** Run directories that are there: what is obsolete and gone need not be named any more. */
  readonly present: ReadonlySet<string>;
  readonly committedAt: string;
}

/**
 * The commit that adds a run to a table, or puts it in the table's place.
 *
 * @param last the newest commit; undefined: the table's first
 */
export function nextCommit(last: ImportCommit | undefined, ready: ReadyRun): ImportCommit {
  const { run, table, plan, snapshot, figures } = ready;
  const columns = plan.plan.columns.map(({ name, sourceType, hiveType, neverNull }) => ({
    ...{ name, sourceType, hiveType },
    ...(neverNull === true ? { neverNull } : {}),
  }));
  const mode = last === undefined ? 'full' : plan.publishAs;
  const seq = (last?.seq ?? 0) + 1;
  const fingerprint = columnsFingerprint(columns);
  const own: CommittedRun = {
    runId: run.runId,
    seq,
    generation: (mode === 'full' ? undefined : last?.runs[0]?.generation) ?? segmentName({ seq, runId: run.runId }),
    mode,
    columns: fingerprint,
    rows: figures.rows,
    directory: ready.directory,
  };
  const runs = mode === 'full' || last === undefined ? [own] : [...last.runs, own];
  const stays = new Set(runs.map(({ directory }) => directory));
  const retained = (last?.runs ?? []).filter(({ directory }) => !stays.has(directory));
  const obsolete = [...(last?.retained ?? []), ...(last?.obsolete ?? [])].filter(
    ({ directory }) => !stays.has(directory) && ready.present.has(directory),
  );
  const lists: Record<string, CommittedColumn[]> = { ...last?.columnLists, [fingerprint]: columns };
  const used = new Set([...runs, ...retained, ...obsolete].map((each) => each.columns));
  const shrunkBy = last === undefined ? 0 : last.sourceRows - sourceRowsOf(ready);
  return {
    version: 1,
    seq,
    source: run.source,
    table: { schema: table.schema, name: table.name },
    runId: run.runId,
    workflowId: run.workflowId,
    workflowRunId: run.workflowRunId,
    businessDate: run.businessDate,
    mode,
    runs,
    retained,
    obsolete,
    columnLists: Object.fromEntries(Object.entries(lists).filter(([list]) => used.has(list))),
    key: [...plan.plan.key],
    product: plan.product,
    database: plan.database,
    snapshot: { id: snapshot.id, position: snapshot.position, takenAt: snapshot.takenAt },
    sourceRows: sourceRowsOf(ready),
    watermark: {
      position: plan.plan.upperPosition ?? snapshot.position,
      fingerprint: plan.fingerprint,
      ...(plan.cursor === undefined ? {} : { cursor: plan.cursor }),
      ...(plan.cursorValue === undefined ? {} : { cursorValue: plan.cursorValue }),
    },
    ...(plan.plan.origin === undefined ? {} : { origin: mutable(plan.plan.origin) }),
    ...(plan.telemetry === undefined ? {} : { telemetry: plan.telemetry }),
    hiveTable: ready.hiveTable,
    ...(ready.readings === undefined ? {} : { readings: ready.readings }),
    ...(last?.readings === undefined || last.readings === ready.readings ? {} : { formerReadings: last.readings }),
    figures: {
      textBytes: figures.textBytes,
      fileBytes: figures.fileBytes,
      splits: figures.splits,
      digest: figures.digest,
      verified: figures.verified,
      ...(run.input.reconcile && mode === 'full' && shrunkBy > 0 ? { deletedRows: shrunkBy } : {}),
      remarks: plan.plan.remarks.map((remark) => ({ ...remark })),
      notes: [...plan.notes],
    },
    committedAt: ready.committedAt,
  };
}

/** What the run of a commit is told to have done. @param notes beyond those of the commit */
export function resultOf(commit: ImportCommit, prefix: string, notes: readonly string[] = []): TableResult {
  const { table, mode, source, hiveTable, readings, figures, sourceRows, runId } = commit;
  const own = commit.runs.find((run) => run.runId === runId);
  const database = hiveDatabase(prefix, source);
  return {
    table,
    publishedAs: mode,
    hiveTable: readableName(database, hiveTable),
    ...(readings === undefined ? {} : { readings: readableName(database, readings) }),
    directory: own?.directory ?? '',
    rows: own?.rows ?? 0,
    sourceRows,
    ...figures,
    notes: [...figures.notes, ...notes],
  };
}

/** A full run's splits say how many rows the table has; of an incremental one they were counted. */
function sourceRowsOf({ plan, figures }: ReadyRun): number {
  return plan.publishAs === 'full' ? figures.rows : (plan.sourceRows ?? figures.rows);
}

/**
 * Refuses a run that cannot be added to what is there. Planning has looked at the same; this is what keeps a view from showing
 * nonsense whatever has happened since.
 *
 * @throws GridError `table-changed`
 */
export function refuseUnfit(
  last: Pick<ImportCommit, 'columnLists' | 'runs' | 'key'> | undefined,
  plan: Pick<TablePlan, 'table' | 'columns' | 'key'>,
  publishAs: ImportCommit['mode'],
): void {
  if (last === undefined || publishAs === 'full') return;
  const { columns, key } = plan;
  const before = last.columnLists[last.runs.at(-1)?.columns ?? ''] ?? [];
  const problems = before.flatMap(({ name, hiveType }) => {
    const now = columns.find((column) => column.name === name);
    if (now === undefined) return [`it has no column ${name} any more`];
    return now.hiveType === hiveType ? [] : [`${name} is ${now.hiveType}, and was ${hiveType}`];
  });
  if (publishAs === 'merge' || last.runs.some(({ mode }) => mode === 'merge')) {
    const missing = key.filter((name) => !columns.some((column) => column.name === name));
    if (key.length === 0) problems.push('it has no primary key to merge by');
    else if (missing.length > 0) problems.push(`the key column ${missing.join(', ')} is not imported`);
    else if (key.toSorted().join() !== last.key.toSorted().join()) {
      problems.push(`its primary key is (${key.join(', ')}), and was (${last.key.join(', ')})`);
    }
  }
  if (problems.length === 0) return;
  throw new GridError(
    'table-changed',
    `Adding the run to what was imported of ${tableName(plan.table)}: ${problems.join('; ')}. Import it with mode full.`,
  );
}

function mutable({ table, parts, definitions }: TableOrigin): NonNullable<ImportCommit['origin']> {
  return {
    table,
    parts: [...parts],
    definitions: definitions.map(({ column, parts: own }) => ({
      column,
      parts: own.map(([part, meaning]) => [part, meaning]),
    })),
  };
}
