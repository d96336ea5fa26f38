import type { TemporalClient } from '../../connectors/temporal/client.ts';
import { executionsWhere, quoted, type Execution } from '../../connectors/temporal/executions.ts';
import type { RetryActivities } from '../../workflows/retry/contract.ts';

/** Of each kind; more are found by a later `since`, or when these are done. */
const MOST_RUNS = 5_000;

export interface Runs {
  /** Failed, timed out or terminated since. */
  readonly failed: readonly Execution[];
  /** Now. */
  readonly running: readonly Execution[];
  /** Since. */
  readonly completed: readonly Execution[];
}

/** The runs of a workflow type on a task queue, from visibility. */
export async function listRuns(
  client: TemporalClient,
  { workflowType, taskQueue, sinceIso }: Parameters<RetryActivities['findFailedRuns']>[0],
): Promise<Runs> {
  const ofType = `WorkflowType = ${quoted(workflowType)} AND TaskQueue = ${quoted(taskQueue)}`;
  const since = `CloseTime >= ${quoted(sinceIso)}`;
  const list = (filter: string): Promise<readonly Execution[]> =>
    executionsWhere(client, `${ofType} AND ${filter}`, MOST_RUNS);
  const failed = await list(`ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated') AND ${since}`);
  // What completes while this looks is found by the second look at each retry.
  const running = await list(`ExecutionStatus = 'Running'`);
  const completed = await list(`ExecutionStatus = 'Completed' AND ${since}`);
  return { failed, running, completed };
}
