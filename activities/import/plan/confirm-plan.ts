import { GridError } from '../../../grid/errors.ts';
import type { SplitStretch } from '../../../workflows/import/activity-contract.ts';
import type { SnapshotReader, SourceSnapshot } from '../../../grid/history/sql-source.ts';
import type { ImportDependencies } from '../dependencies.ts';
import { cursorValueOf, decisionAt } from './plan-table.ts';
import { readNewestCommit } from '../publish/commit-log.ts';
import { tableName } from '../table-names.ts';
import type { WorkDirectory } from '../staging/work-directory.ts';
import type { WorkPlan } from './work-plan.ts';

/**
 * Holds what was decided against the snapshot that rows are really read at, where that is another one: always where snapshots
 * are not shared, else when the first one was lost. Rows that were updated or deleted in between make appending wrong. The figures that
 * the next import goes by (row count, cursor value) are taken anew, in the very transaction that reads the rows.
 *
 * Only the stretch that begins with a table's first split does this.
 *
 * @throws GridError `table-changed`: it must be planned again; `import-conflict`: another import was committed since
 */
export async function confirmPlan(
  deps: ImportDependencies,
  reading: {
    readonly stretch: SplitStretch;
    readonly work: WorkDirectory;
    readonly plan: WorkPlan;
    readonly reader: SnapshotReader;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { stretch, work, plan, reader, signal } = reading;
  const { run, table } = stretch;
  const snapshot = stretch.snapshot ?? reader.snapshot;
  const isOfChanges = plan.plan.condition !== undefined && plan.publishAs !== 'full';
  if (stretch.from > 0 || isSame(plan.plannedAt, snapshot) || !(isOfChanges || plan.cursor !== undefined)) return;

  const last = await readNewestCommit(deps.hdfs, deps.options.importsDirectory, run.source, table);
  let { sourceRows } = plan;
  if (isOfChanges) {
    if (last === undefined || last.runId !== plan.basedOn) {
      throw new GridError(
        'import-conflict',
        `Importing what has changed in ${tableName(table)} since the run ${plan.basedOn ?? ''}: the run ${last?.runId ?? 'none'} is the newest by now. Start the import again.`,
      );
    }
    const identity = { sharedSnapshots: stretch.snapshot !== undefined };
    const { counts, decision } = await decisionAt({ run, table, plan: plan.plan, last, reader, identity, signal });
    const holds =
      decision.kind === 'unchanged' ||
      (decision.kind === 'changes' && (decision.publishAs === 'append' || plan.publishAs === 'merge'));
    if (!holds) {
      throw new GridError(
        'table-changed',
        `Importing ${tableName(table)}: it was to be published by ${plan.publishAs}, but since it was planned rows were updated or deleted (${counts.rows} rows now, ${counts.chosen} new or changed since the last import of ${last.sourceRows}). Start the import again.`,
      );
    }
    sourceRows = counts.rows;
  }
  const cursorValue = await cursorValueOf({ reader, cursor: plan.cursor, last, signal }, plan.plan);
  await work.writePlan({
    ...plan,
    plannedAt: snapshot,
    ...(sourceRows === undefined ? {} : { sourceRows }),
    ...(cursorValue === undefined ? {} : { cursorValue }),
  });
}

function isSame(a: SourceSnapshot, b: SourceSnapshot): boolean {
  return a.id === b.id && a.position === b.position && a.takenAt === b.takenAt;
}
