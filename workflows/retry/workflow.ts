import {
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReason } from '../job/failure-reason.ts';
import { inLanes } from '../../grid/lanes.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import { retryFailed } from '../job/messages.ts';
import {
  retryContract,
  type RetriedRun,
  type RetryActivities,
  type RetryCandidate,
  type RetryInput,
  type RetrySummary,
} from './contract.ts';
import { retryText } from './text.ts';

const { findFailedRuns } = proxyActivities<RetryActivities>({
  startToCloseTimeout: '10 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 5 },
});

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
const LONGEST_REASON = 1_000;

/**
 * Finds runs that failed, and does again what they left undone: an import takes up the work of the failed one, a run that waits with
 * parked splits is told to try them again, any other workflow is started again with the same input.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @throws ApplicationFailure, final: `invalid-input`; or, when a retry failed, with that retry's error code and a
 * {@link RetrySummary} as its detail
 */
export async function retryFailedBackfills(given?: unknown): Promise<RetrySummary> {
  const input = jobInput(retryContract, given);
  const since = sinceOf(input);
  const { workflowType, dryRun, concurrency } = input;
  const { taskQueue } = workflowInfo();
  const { candidates, leftOut } = await findFailedRuns({ sinceIso: since, workflowType, taskQueue });

  const runs = candidates.map((candidate) => before(candidate, dryRun));
  const pending = new Set(dryRun ? [] : candidates.keys());
  const progress = new JobProgress(retryText, () => ({ runs, pending: [...pending] }));
  progress.show();
  const failures: { readonly code: string }[] = [];
  for (const [index, { state }] of candidates.entries()) if (state === 'unretryable') pending.delete(index);
  const queue = [...pending];
  await inLanes(
    concurrency,
    () => queue.shift(),
    async (index) => {
      const candidate = candidates[index];
      if (candidate === undefined) return;
      const { outcome, message, code } = await retried(candidate);
      if (code !== undefined) failures.push({ code });
      runs[index] = { ...before(candidate, dryRun), outcome, ...(message === undefined ? {} : { message }) };
      pending.delete(index);
      progress.show();
    },
  );

  const count = (outcome: RetriedRun['outcome']): number => runs.filter((run) => run.outcome === outcome).length;
  const summary: RetrySummary = {
    since,
    workflowType,
    dryRun,
    runs,
    succeeded: count('succeeded'),
    failed: count('failed'),
    signalled: count('signalled'),
    leftOut,
  };
  const [first] = failures;
  if (first !== undefined) throw ApplicationFailure.nonRetryable(failureMessage(summary), first.code, summary);
  return summary;
}

interface Retried {
  readonly outcome: 'succeeded' | 'failed' | 'signalled' | 'left alone';
  readonly message?: string;
  /** Of the failure. */
  readonly code?: string;
}

async function retried(candidate: RetryCandidate): Promise<Retried> {
  const { workflowId, workflowRunId, workflowType, state, retryWorkflowId, input } = candidate;
  try {
    if (state === 'waiting') {
      await getExternalWorkflowHandle(workflowId, workflowRunId).signal(retryFailed);
      return { outcome: 'signalled' };
    }
    const retry = await startChild(workflowType, {
      workflowId: retryWorkflowId,
      args: [input],
      // Nobody retries what is being retried, or was with success.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
      // Cancelling an import throws its work away; that is only for whoever cancels the import itself.
      parentClosePolicy: 'ABANDON',
      cancellationType: 'ABANDON',
    });
    await retry.result();
    return { outcome: 'succeeded' };
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') {
      return { outcome: 'left alone', message: 'Somebody retries it already, or has done so.' };
    }
    const { code, message } = failureReason(error);
    // A waiting run may have ended meanwhile.
    return state === 'waiting' ? { outcome: 'left alone', message } : { outcome: 'failed', message, code };
  }
}

function before(candidate: RetryCandidate, dryRun: boolean): RetriedRun {
  const { workflowId, workflowRunId, state, reason, retryWorkflowId } = candidate;
  return {
    workflowId,
    workflowRunId,
    state,
    reason: reason.slice(0, LONGEST_REASON),
    outcome: dryRun && state !== 'unretryable' ? 'would be retried' : 'left alone',
    ...(state === 'failed' ? { retryWorkflowId } : {}),
  };
}

/** ISO time; a date is the beginning of its day, UTC. */
function sinceOf({ since }: RetryInput): string {
  const moment = since === undefined ? workflowInfo().startTime.getTime() - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  return new Date(moment).toISOString();
}

function failureMessage({ runs, failed, succeeded, signalled }: RetrySummary): string {
  const lines = runs
    .filter(({ outcome }) => outcome === 'failed')
    .map(
      ({ workflowId, retryWorkflowId, message }) =>
        `${workflowId} (retried as ${retryWorkflowId ?? ''}): ${message ?? ''}`,
    );
  return `Retrying failed runs: ${failed} of ${failed + succeeded + signalled} failed again.\n${lines.slice(0, 20).join('\n')}`;
}
