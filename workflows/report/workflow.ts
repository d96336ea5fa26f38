import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import { untilEnded } from '../query/ended-run.ts';
import {
  reportContract,
  type ReportActivities,
  type ReportProgress,
  type ReportResult,
  type ReportRun,
} from './contract.ts';
import { reportText } from './text.ts';

const { beginReport, answerReport, endReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '2 days',
  heartbeatTimeout: 20_000,
  // Hive, HDFS or MongoDB away for some seven minutes are waited for.
  retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 },
  // What is cancelled is cleared away next, so it must have ended.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/**
 * Runs a report over the readings, by Hive SQL.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `time-limit-passed`, `hdfs-already-exists`; whatever the activities fail with
 */
export async function runReport(given?: unknown): Promise<ReportResult> {
  const input = jobInput(reportContract, given);
  const info = workflowInfo();
  const { workflowId, startTime } = info;
  const run: ReportRun = { runName: workName(info), workflowId, startedAt: startTime.toISOString(), input };
  let progress: ReportProgress = { report: input.report, phase: 'beginning', rows: 0 };
  const tell = (news: Partial<ReportProgress>): void => {
    progress = { ...progress, ...news };
    shown.show();
  };
  const shown = new JobProgress(reportText, () => progress);
  shown.show();
  return untilEnded(
    async () => {
      const begun = await beginReport(run);
      tell({ phase: 'running in Hive' });
      const result = await answerReport({ run, begun });
      tell({ phase: 'ended', rows: result.rows });
      return result;
    },
    (ended) => endReport({ run, ended }),
  );
}
