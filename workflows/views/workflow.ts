import { CancellationScope, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { failureReason } from '../job/failure-reason.ts';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import {
  viewsContract,
  type ReadReadings,
  type ViewsActivities,
  type ViewsProgress,
  type ViewsResult,
  type ViewsRun,
} from './contract.ts';
import { viewsText } from './text.ts';

/** Hive, HDFS or PostgreSQL away for some seven minutes are waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

const { planViews, readReadings, addUpReadings, publishViews, discardBuild } = proxyActivities<ViewsActivities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: 20_000,
  retry: RETRY,
  // What is cancelled is cleared away next, so it must have ended.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** The second plan cannot be overtaken by the windows sink, further ones only by other builds. */
const MOST_ROUNDS = 4;

/**
 * Adds readings in HDFS up to windows by Hive SQL, and swaps them into the serving database: plans what is covered, lets Hive read and add up, and
 * publishes all of it at once.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`, `master-data-incomplete`, `views-overtaken`; whatever the activities fail with
 */
export async function buildBatchViews(given?: unknown): Promise<ViewsResult> {
  const input = jobInput(viewsContract, given);
  const info = workflowInfo();
  const run: ViewsRun = { buildId: workName(info), runId: info.firstExecutionRunId, input };
  let progress: ViewsProgress = { phase: 'planning', rebuild: input.rebuild, files: 0, bytes: 0, readings: 0 };
  const tell = (news: Partial<ViewsProgress>): void => {
    progress = { ...progress, ...news };
    shown.show();
  };
  const shown = new JobProgress(viewsText, () => progress);
  shown.show();
  let isInterrupted = true;
  try {
    for (let round = 1; ; round++) {
      try {
        const result = await build(run, { cautious: round > 1, startedMs: info.startTime.getTime() }, tell);
        isInterrupted = false;
        return result;
      } catch (error) {
        const isOvertaken = failureReason(error).code === 'views-overtaken';
        if (!isOvertaken || round === MOST_ROUNDS || CancellationScope.current().consideredCancelled) throw error;
      }
    }
  } finally {
    tell({ phase: 'ended' });
    await CancellationScope.nonCancellable(() => discardBuild({ run, isInterrupted }));
  }
}

async function build(
  run: ViewsRun,
  { cautious, startedMs }: { readonly cautious: boolean; readonly startedMs: number },
  tell: (news: Partial<ViewsProgress>) => void,
): Promise<ViewsResult> {
  tell({ phase: 'planning' });
  const { isUpToDate, files, bytes, readings, plan } = await planViews({ run, cautious });
  tell({ files, bytes, readings });
  let read: ReadReadings = { otherForms: 0, unreadable: 0 };
  let windows: string | undefined;
  if (!isUpToDate && files > 0) {
    tell({ phase: 'reading' });
    read = await readReadings({ run, plan });
    tell({ phase: 'adding up' });
    windows = (await addUpReadings({ run, plan, read: read.read }))?.windows;
  }
  tell({ phase: 'publishing' });
  return publishViews({ run, plan, windows, read, startedMs });
}
