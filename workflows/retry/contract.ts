import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

const retryInput = z.strictObject({
  /** Only runs that ended (or, waiting, began) since: an ISO time or date. Default: 7 days ago. */
  since: z.union([z.iso.datetime({ offset: true }), z.iso.date()]).optional(),
  workflowType: z.string().min(1).default('importSqlHistory'),
  /** Tell what would be retried, and do nothing. */
  dryRun: z.boolean().default(false),
  /** Retries that run at once. */
  concurrency: z.int().min(1).max(50).default(2),
});
export type RetryInput = z.output<typeof retryInput>;

/** One run that `retryFailedBackfills` found. */
const retriedRun = z
  .object({
    workflowId: z.string(),
    workflowRunId: z.string(),
    state: z.enum(['failed', 'waiting', 'unretryable']),
    /** Why it failed, or waits. */
    reason: z.string(),
    /**
     * `would be retried` – a dry run; `succeeded`, `failed` – retried; `signalled` – it waited and was told to go on;
     * `left alone` – it cannot be retried as it is, or somebody retries it already.
     */
    outcome: z.enum(['would be retried', 'succeeded', 'failed', 'signalled', 'left alone']),
    retryWorkflowId: z.string().exactOptional(),
    /** Why the retry failed, or why it is left alone. */
    message: z.string().exactOptional(),
  })
  .readonly();
export type RetriedRun = z.output<typeof retriedRun>;

/** Result of `retryFailedBackfills`. */
const retrySummary = z
  .object({
    /** ISO time. */
    since: z.string(),
    workflowType: z.string(),
    dryRun: z.boolean(),
    runs: z.array(retriedRun).readonly(),
    succeeded: z.number(),
    failed: z.number(),
    signalled: z.number(),
    /** Runs beyond what one call retries: start it again. */
    leftOut: z.number(),
  })
  .readonly();
export type RetrySummary = z.output<typeof retrySummary>;

/** Answer to the query `progress` of `retryFailedBackfills`: the runs that it has found, and which of them are still to be retried. */
const retryProgress = z
  .object({
    runs: z.array(retriedRun).readonly(),
    /** Places among `runs`. */
    pending: z.array(z.number()).readonly(),
  })
  .readonly();
export type RetryProgress = z.output<typeof retryProgress>;

/** A run that failed, or waits with parked splits. */
export interface RetryCandidate {
  readonly workflowId: string;
  readonly workflowRunId: string;
  readonly workflowType: string;
  /** `unretryable`: it would fail in the same way again, such as for its input. */
  readonly state: 'failed' | 'waiting' | 'unretryable';
  readonly reason: string;
  /** The retry's workflow id: the same for every retry of one failed run. */
  readonly retryWorkflowId: string;
  /** Input for the retry: the run's own, and for imports `resume`. Empty unless `failed`. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface RetryActivities {
  /**
   * Finds by visibility the runs on a task queue that failed, timed out or were terminated, or wait with parked splits, and were
   * not made good since; a failed retry stands for the run that it retried. The oldest come first.
   */
  findFailedRuns(request: {
    readonly sinceIso: string;
    readonly workflowType: string;
    readonly taskQueue: string;
  }): Promise<{ readonly candidates: readonly RetryCandidate[]; readonly leftOut: number }>;
}

export const retryContract = {
  workflowType: 'retryFailedBackfills',
  summary: 'try failed and parked runs again',
  input: retryInput,
  example: { dryRun: true },
  progress: retryProgress,
  result: retrySummary,
  activities: { findFailedRuns: 'jobs' } satisfies Readonly<Record<keyof RetryActivities, QueueName>>,
} as const satisfies JobContract<typeof retryInput, typeof retryProgress, typeof retrySummary>;
