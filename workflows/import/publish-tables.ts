import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { TableProgress } from './contract.ts';
import { publishing } from './activity-calls.ts';
import { failureReason, type FailureReason } from '../job/failure-reason.ts';
import { runFor } from './import-run.ts';
import { inLanes } from '../../grid/lanes.ts';
import type { PublishRequest, PublishResult } from './messages.ts';
import { notTried, OutageWatch } from './outage-watch.ts';
import { packTables, unpackTable } from './packed-tables.ts';
import { ProgressReport } from './progress-report.ts';
import { progressOf, published, type PlannedWork } from './table-work.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

/** Publishes tables that `copyTables` has brought to a snapshot, each by itself. Started by `importSqlHistory`. */
export async function publishTables(request: PublishRequest): Promise<PublishResult> {
  const { run, lanes, eventsPerRun, startedMs } = request;
  const works = request.tables.map(unpackTable);
  const active = new Set<number>();
  const outage = new OutageWatch();
  const report = new ProgressReport(startedMs, (index) => {
    const work = works[index];
    if (work === undefined) throw new RangeError(`no table ${index}`);
    const { table: _, ...progress } = progressOf(work, false);
    const isPublishing: Partial<TableProgress> = active.has(index) ? { state: 'publishing' } : {};
    return { ...progress, ...isPublishing };
  });
  setCurrentDetails(`Publishes ${works.length} tables for ${run.workflowId}; its progress is told there.`);

  const queue = [...works.keys()].filter((index) => works[index]?.state === 'planned');
  const isFull = (): boolean => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= eventsPerRun;
  const park = (index: number, work: PlannedWork, code: string, reason: string): void => {
    works[index] = { state: 'parked', table: work.table, code, reason, splits: [], refused: false };
    report.changed(index);
  };
  const parkTheRest = (reason: FailureReason): void => {
    for (const index of queue.splice(0)) {
      const work = works[index];
      if (work?.state === 'planned') park(index, work, reason.code, notTried(reason));
    }
  };

  const scope = CancellationScope.current();
  await inLanes(
    lanes,
    () => (queue.length === 0 || isFull() ? undefined : queue.shift()),
    async (index) => {
      const work = works[index];
      if (work?.state !== 'planned') return;
      const { table, publishAs } = work;
      active.add(index);
      report.changed(index);
      try {
        const snapshot = work.snapshot ?? request.snapshot;
        if (snapshot === undefined) throw new RangeError(`${nameOfTable(table)} is at no snapshot`);
        const { publishTable } = publishing(nameOfTable(table));
        works[index] = published(await publishTable({ run: runFor(run, table), table, snapshot, publishAs }));
        outage.succeeded();
      } catch (error) {
        if (isCancellation(error) && scope.consideredCancelled) throw error;
        const reason = failureReason(error);
        park(index, work, reason.code, reason.message);
        if (outage.failed(reason)) parkTheRest(reason);
      } finally {
        active.delete(index);
        report.changed(index);
      }
    },
  );
  const tables = packTables(works);
  if (queue.length > 0) await continueAsNew<typeof publishTables>({ ...request, tables });
  return { tables };
}
