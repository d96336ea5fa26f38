import {
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import { checked } from '../job/checked-signal.ts';
import { CopyRound } from './copy-round.ts';
import { signalPayloads, snapshotLost, snapshotTaken, type CopyRequest, type CopyResult } from './messages.ts';
import { packTables, unpackTable } from './packed-tables.ts';
import { ProgressReport } from './progress-report.ts';
import { progressOf, startedOver } from './table-work.ts';

/** The workflow that holds the snapshot is asked for a new one again after this long. */
const ASK_AGAIN_MS = 300_000;

/**
 * Brings tables to one snapshot of their source, whatever becomes of snapshots meanwhile. Started by `importSqlHistory`, which holds
 * the snapshot; apart from it, since this one continues as new as often as it must, and what holds a snapshot cannot.
 */
export async function copyTables(request: CopyRequest): Promise<CopyResult> {
  const { run, lanes, maxBytesPerSecond, named, eventsPerRun, startedMs } = request;
  let works = request.tables.map(unpackTable);
  let snapshot = request.snapshot;
  let newest = snapshot;
  let round: CopyRound | undefined;
  const report = new ProgressReport(startedMs, (index) => {
    const work = works[index];
    if (work === undefined) throw new RangeError(`no table ${index}`);
    const { table: _, ...progress } = progressOf(work, round?.isActive(index) ?? false);
    return progress;
  });
  setHandler(
    snapshotTaken,
    checked(signalPayloads.snapshotTaken, (taken) => {
      newest = taken.snapshot;
      round?.snapshotReplaced();
    }),
  );
  setCurrentDetails(`Copies ${works.length} tables for ${run.workflowId}; its progress is told there.`);

  for (;;) {
    const options = {
      run,
      lanes,
      named,
      eventsPerRun,
      ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
      ...(snapshot === undefined ? {} : { snapshot }),
      replaced: () => !isSame(newest, snapshot),
      changed: (index: number) => {
        report.changed(index);
      },
    };
    round = new CopyRound(works, options);
    const end = await round.run();
    if (end === 'complete') {
      return { tables: packTables(works), ...(snapshot === undefined ? {} : { snapshot }) };
    }
    if (end === 'snapshot lost' && snapshot !== undefined) {
      const lost = snapshot;
      while (isSame(newest, lost)) {
        await askForAnother(lost);
        await condition(() => !isSame(newest, lost), ASK_AGAIN_MS);
      }
    }
    if (!isSame(newest, snapshot)) {
      snapshot = newest;
      works = works.map(startedOver);
      for (const index of works.keys()) report.changed(index);
    }
    if (end === 'handover') {
      const { snapshot: _, ...rest } = request;
      const next = { ...rest, tables: packTables(works), ...(snapshot === undefined ? {} : { snapshot }) };
      await continueAsNew<typeof copyTables>(next);
    }
  }
}

function isSame(a: SourceSnapshot | undefined, b: SourceSnapshot | undefined): boolean {
  return a?.id === b?.id && a?.position === b?.position && a?.takenAt === b?.takenAt;
}

async function askForAnother(lost: SourceSnapshot): Promise<void> {
  const { parent } = workflowInfo();
  if (parent === undefined) return;
  try {
    await getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(snapshotLost, lost);
  } catch (error) {
    // It has ended, and this one is about to be cancelled.
    log.warn('nobody can be asked for a new snapshot', { error });
  }
}
