import { proxyActivities, workflowInfo, type ActivityOptions } from '@temporalio/workflow';
import type { ImportActivities } from './activity-contract.ts';
import { taskQueue } from '../job/task-queues.ts';

/**
 * How long a worker may be silent before its activity is given to another. Activities give a sign of life of their own
 * accord, whatever they wait for.
 */
const HEARTBEAT_TIMEOUT_MS = 20_000;

/** Tried again after 1, 2, 4, … 30 s: what is down for some seven minutes is waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

/** A split of any size, and a whole table through one connection, has to fit. */
const LONGEST_ACTIVITY = '30 days';

const patient: ActivityOptions = {
  startToCloseTimeout: LONGEST_ACTIVITY,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: RETRY,
  // Whoever cancels deletes what was written next, so the writing must have ended.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
};

export const { openImport } = proxyActivities<Pick<ImportActivities, 'openImport'>>({
  startToCloseTimeout: '3 minutes',
  // It waits some seconds for a source that does not answer by itself; after that an operator should know. HDFS and Hive are waited
  // for as everywhere: a nightly import must not fail since a NameNode happens to start again.
  retry: { ...RETRY, nonRetryableErrorTypes: ['source-unavailable'] },
});

export const { holdSnapshot, discardWork } =
  proxyActivities<Pick<ImportActivities, 'holdSnapshot' | 'discardWork'>>(patient);

type SourceActivities = Pick<ImportActivities, 'planTable' | 'bringSplits'>;

/**
 * The activities that hold a connection to the source. Their task queue's workers have as many slots as there may be
 * connections.
 *
 * @param summary of the call, for people
 */
export function sourceActivities(summary: string): SourceActivities {
  const queue = taskQueue(workflowInfo().taskQueue, 'source');
  return proxyActivities<SourceActivities>({ ...patient, taskQueue: queue, summary });
}

/** @param summary of the call, for people */
export function publishing(summary: string): Pick<ImportActivities, 'publishTable'> {
  return proxyActivities<Pick<ImportActivities, 'publishTable'>>({ ...patient, summary });
}
