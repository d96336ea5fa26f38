import { CancellationScope, setHandler, upsertMemo, workflowInfo } from '@temporalio/workflow';
import { checked } from '../job/checked-signal.ts';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { retryFailed } from '../job/messages.ts';
import { businessDate } from './business-date.ts';
import { IMPORT_RUN_ID, importContract, type ImportSummary } from './contract.ts';
import { ImportJob } from './import-job.ts';
import { signalPayloads, snapshotLost, snapshotTaken, tablesProgressed } from './messages.ts';

/**
 * Imports tables of a SQL database: finds them, copies all of them as of one moment, then publishes each in HDFS and Hive. What
 * keeps failing is parked and ends the run as failed (or lets it wait, see the input); what is done is kept for the next try.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, always final: `invalid-input`; whatever `openImport` or the keeper of the snapshot fail with; the
 * reason for which every table was refused; `splits-parked` with an {@link ImportSummary} as its detail
 */
export async function importSqlHistory(given?: unknown): Promise<ImportSummary> {
  const input = jobInput(importContract, given);
  const info = workflowInfo();
  const date = businessDate(input, info);
  const runId = input.resume ?? `${date}-${workName(info)}`;
  // Whoever looks for failed runs sees by it which of them were taken up by others.
  upsertMemo({ [IMPORT_RUN_ID]: runId });

  const { workflowId, runId: workflowRunId } = info;
  const job = new ImportJob({ runId, workflowId, workflowRunId, businessDate: date, input });
  setHandler(
    snapshotTaken,
    checked(signalPayloads.snapshotTaken, ({ snapshot }) => {
      job.snapshotTaken(snapshot);
    }),
  );
  setHandler(
    snapshotLost,
    checked(signalPayloads.snapshotLost, (snapshot) => job.snapshotLost(snapshot)),
  );
  setHandler(
    tablesProgressed,
    checked(signalPayloads.tablesProgressed, (deltas) => {
      job.tablesProgressed(deltas);
    }),
  );
  setHandler(retryFailed, () => {
    job.retryAsked();
  });

  const scope = CancellationScope.current();
  try {
    return await job.run();
  } catch (error) {
    throw await CancellationScope.nonCancellable(() => job.failed(error, scope.consideredCancelled));
  }
}
