import { GridError } from '../../../grid/errors.ts';
import type { ImportRun, PlannedTable } from '../../../workflows/import/activity-contract.ts';
import type {
  ChangesSince,
  ImportColumn,
  RowCounts,
  SnapshotReader,
  SourceIdentity,
  SourceSnapshot,
  TableId,
  TablePlan,
} from '../../../grid/history/sql-source.ts';
import { closing } from '../closing.ts';
import type { ImportDependencies } from '../dependencies.ts';
import { withHeartbeats } from '../../running/heartbeats.ts';
import { columnChange, decisionByCounts, keyChange, wayToImport, type ImportDecision } from './import-decision.ts';
import { readNewestCommit, type ImportCommit } from '../publish/commit-log.ts';
import { publishTable, showNewest } from '../publish/publish-table.ts';
import { telemetryOf } from '../publish/telemetry-file.ts';
import { checkTelemetry } from '../publish/telemetry.ts';
import { tableName } from '../table-names.ts';
import { planIdOf, WorkDirectory, type WorkPlan } from '../staging/work-directory.ts';

/** Work that nothing was added to for so long is given up. */
export const KEEP_WORK_MS = 14 * 86_400_000;

export interface PlanRequest {
  readonly run: ImportRun;
  readonly table: TableId;
  readonly snapshot?: SourceSnapshot;
}

/** What the planning of a table goes by. */
interface Planning extends PlanRequest {
  readonly deps: ImportDependencies;
  readonly work: WorkDirectory;
  readonly identity: SourceIdentity;
  readonly reader: SnapshotReader;
  readonly last: ImportCommit | undefined;
  readonly cursor: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Decides how a table is imported and in which splits, and keeps that in the run's work directory. A plan of before that
 * still holds is kept with what was done by it: if the snapshot is another one, splits are compared by digest. When the run's
 * snapshot was lost it is to be planned again at the new one: what was added, updated or deleted meanwhile may change the decision.
 *
 * @throws GridError `append-impossible`, and as `SnapshotReader.plan`
 */
export async function planTable(deps: ImportDependencies, request: PlanRequest): Promise<PlannedTable> {
  return withHeartbeats(async (signal) => {
    const { run, table, snapshot } = request;
    const { importsDirectory } = deps.options;
    const last = await readNewestCommit(deps.hdfs, importsDirectory, run.source, table);
    if (last?.runId === run.runId) {
      // Committed before; whatever its publication still lacks is made good.
      const result = await publishTable(deps, { run, table, snapshot: last.snapshot, publishAs: last.mode });
      return { kind: 'published', result };
    }
    const work = new WorkDirectory(deps.hdfs, importsDirectory, run, table);
    return closing(deps.openSource(run.source), async (source) => {
      const identity = await source.identify(signal);
      return closing(await source.read(snapshot, signal), (reader) =>
        plan({ ...request, deps, work, identity, reader, last, cursor: cursorOf(run, table), signal }),
      );
    });
  });
}

/** The cursor column that the input names for a table. */
export function cursorOf({ input }: Pick<ImportRun, 'input'>, table: TableId): string | undefined {
  const { cursor } = input;
  if (cursor === undefined || typeof cursor === 'string') return cursor;
  return [tableName(table), table.name]
    .map((name) => (Object.hasOwn(cursor, name) ? cursor[name] : undefined))
    .find((column) => column !== undefined);
}

async function plan(planning: Planning): Promise<PlannedTable> {
  const { table, run, last, identity, work } = planning;
  const way = wayToImport(table, run.input.mode, last, identity.fingerprint);
  if (way.kind === 'refused') throw new GridError('append-impossible', way.reason);
  if (way.kind === 'whole' || last === undefined) return planWhole(planning, way.kind === 'whole' ? way.notes : []);

  const fresh = await planChanges(planning, way.since);
  if ('notes' in fresh) return planWhole(planning, fresh.notes);
  const existing = await existingPlan(planning, fresh);
  const used = existing?.plan ?? fresh;
  const { counts, decision } = await decisionAt({ ...planning, plan: used, last });
  const telemetry = telemetryFor(planning, used);
  if (decision.kind === 'refused') throw new GridError('append-impossible', decision.reason);
  if (decision.kind === 'whole') return planWhole(planning, decision.notes);
  const isKnown = JSON.stringify(telemetry) === JSON.stringify(last.telemetry) && !lacksOrigin(last, used);
  if (decision.kind === 'unchanged' && isKnown) {
    await work.delete();
    // What is not imported again has to be there.
    await showNewest(planning.deps, planning, planning.signal);
    return { kind: 'unchanged', rows: counts.rows };
  }
  // Nothing but the mapping has changed, or the record is of an earlier version: a run without rows carries what is to be known.
  const publishAs = decision.kind === 'unchanged' ? 'append' : decision.publishAs;
  const notes = decision.kind === 'unchanged' ? [] : decision.notes;
  return keep(planning, { plan: used, publishAs, notes, counts, isKept: existing !== undefined });
}

/** Whether the last commit does not say which table it was of, and a run could be added to say it. */
function lacksOrigin(last: ImportCommit, plan: TablePlan): boolean {
  if (plan.origin === undefined || last.origin !== undefined) return false;
  return plan.key.length > 0 || last.runs.every(({ mode }) => mode !== 'merge');
}

async function planWhole(planning: Planning, notes: readonly string[]): Promise<PlannedTable> {
  const fresh = await planFresh(planning);
  const existing = await existingPlan(planning, fresh);
  const used = existing?.plan ?? fresh;
  return keep(planning, { plan: used, publishAs: 'full', notes, isKept: existing !== undefined });
}

function planFresh(planning: Planning, since?: ChangesSince): Promise<TablePlan> {
  const { deps, run, table, reader, cursor, signal } = planning;
  return reader.plan(
    table,
    {
      splitRows: run.input.splitRows ?? deps.options.splitRows,
      onUnsupported: run.input.onUnsupported,
      ...(since === undefined ? {} : { since }),
      ...(cursor === undefined ? {} : { cursor }),
    },
    signal,
  );
}

/** The plan of what has changed; where the source cannot tell what has, mode `merge` reads the whole table, and the note says why. */
async function planChanges(
  planning: Planning,
  since: ChangesSince,
): Promise<TablePlan | { readonly notes: readonly string[] }> {
  try {
    return await planFresh(planning, since);
  } catch (error) {
    const impossible = error instanceof GridError && error.code === 'append-impossible';
    if (!impossible || planning.run.input.mode !== 'merge') throw error;
    return { notes: [`${tableName(planning.table)} is imported whole: ${error.message}`] };
  }
}

/** The plan in the work directory, if it means the same table in the same state and the same changes. */
async function existingPlan(planning: Planning, fresh: TablePlan): Promise<WorkPlan | undefined> {
  const { work, identity, cursor, last } = planning;
  const existing = await work.readPlan();
  if (existing === undefined) return undefined;
  const ofChanges = fresh.condition !== undefined;
  const sameTable =
    existing.fingerprint === identity.fingerprint &&
    existing.plan.identity === fresh.identity &&
    JSON.stringify([existing.plan.columns.map(meaning), existing.plan.key]) ===
      JSON.stringify([fresh.columns.map(meaning), fresh.key]);
  const sameRows =
    (existing.plan.condition !== undefined) === ofChanges &&
    (!ofChanges || (existing.basedOn === last?.runId && existing.cursor === cursor));
  if (!sameTable || !sameRows) return undefined;
  // Both give the same text; that all values can be kept was found out just now.
  const { provenAt, origin } = fresh;
  const now = { ...(provenAt === undefined ? {} : { provenAt }), ...(origin === undefined ? {} : { origin }) };
  return { ...existing, plan: { ...existing.plan, ...now } };
}

function meaning({ name, sourceType, hiveType }: ImportColumn): readonly string[] {
  return [name, sourceType, hiveType];
}

/** Counts the changes at the reader's snapshot, and decides by them. */
export async function decisionAt({
  run,
  table,
  plan,
  last,
  reader,
  identity,
  signal,
}: Pick<Planning, 'run' | 'table' | 'reader' | 'signal'> & {
  readonly plan: TablePlan;
  readonly last: ImportCommit;
  readonly identity: Pick<SourceIdentity, 'sharedSnapshots'>;
}): Promise<{ readonly counts: RowCounts; readonly decision: ImportDecision }> {
  const counts = await reader.count(plan, signal);
  const columnsBefore = last.columnLists[last.runs.at(-1)?.columns ?? ''] ?? [];
  const decision = decisionByCounts(table, {
    mode: run.input.mode === 'merge' ? 'merge' : 'incremental',
    reconcile: run.input.reconcile,
    rowsBefore: last.sourceRows,
    rowsImported: last.runs.reduce((sum, { rows }) => sum + rows, 0),
    counts,
    hasMerges: last.runs.some(({ mode }) => mode === 'merge'),
    key: keyChange(last.key, plan),
    columns: columnChange(columnsBefore, plan.columns),
    sharedSnapshots: identity.sharedSnapshots,
  });
  return { counts, decision };
}

/** Highest cursor value of what the plan reads; that of the last import when it reads nothing. */
export async function cursorValueOf(
  { reader, cursor, last, signal }: Pick<Planning, 'reader' | 'cursor' | 'last' | 'signal'>,
  plan: TablePlan,
): Promise<string | undefined> {
  if (cursor === undefined) return undefined;
  return (await reader.highest(plan, cursor, signal)) ?? last?.watermark.cursorValue;
}

function telemetryFor({ deps, run, table }: Planning, plan: TablePlan): WorkPlan['telemetry'] {
  const mapping = telemetryOf(run.source, table, run.input.telemetry, deps.options.telemetry);
  if (mapping !== undefined) checkTelemetry(table, plan.columns, mapping);
  return mapping;
}

async function keep(
  planning: Planning,
  decided: {
    readonly plan: TablePlan;
    readonly publishAs: WorkPlan['publishAs'];
    readonly notes: readonly string[];
    readonly counts?: RowCounts;
    readonly isKept: boolean;
  },
): Promise<PlannedTable> {
  const { work, identity, reader, last, cursor, run, snapshot } = planning;
  const { plan, publishAs, notes, counts, isKept } = decided;
  const telemetry = telemetryFor(planning, plan);
  const cursorValue = await cursorValueOf(planning, plan);
  // A run that waits with parked splits adds nothing for as long as it waits.
  const waitMs = run.input.onParked === 'wait' ? run.input.parkedWaitHours * 3_600_000 + KEEP_WORK_MS : 0;
  if (!isKept) await work.delete();
  await work.writePlan({
    planId: planIdOf(plan),
    plan,
    publishAs,
    product: identity.product,
    database: identity.database,
    fingerprint: identity.fingerprint,
    plannedAt: snapshot ?? reader.snapshot,
    notes,
    keepUntilMs: Date.now() + waitMs,
    ...(counts === undefined ? {} : { sourceRows: counts.rows }),
    ...(last === undefined ? {} : { basedOn: last.runId }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(cursorValue === undefined ? {} : { cursorValue }),
    ...(telemetry === undefined ? {} : { telemetry }),
  });
  return {
    kind: 'planned',
    splits: plan.splits.length,
    estimatedRows: counts?.chosen ?? plan.estimatedRows,
    estimatedBytes: plan.estimatedBytes,
    publishAs,
    remarks: plan.remarks,
    ...(notes.length === 0 ? {} : { notes }),
  };
}
