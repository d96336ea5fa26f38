import {
  WorkflowNotFoundError,
  type WorkflowExecutionInfo,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { RetryActivities } from '../../workflows/retry/contract.ts';

/** Of each kind; more are found by a later `since`, or when these are done. */
const MOST_RUNS = 5_000;
const LIST_TIMEOUT_MS = 60_000;

export interface Runs {
  /** Failed, timed out or terminated since. */
  readonly failed: readonly WorkflowExecutionInfo[];
  /** Now. */
  readonly running: readonly WorkflowExecutionInfo[];
  /** Since. */
  readonly completed: readonly WorkflowExecutionInfo[];
}

/** The runs of a workflow type on a task queue, from visibility. */
export async function listRuns(
  client: TemporalClient,
  { workflowType, taskQueue, sinceIso }: Parameters<RetryActivities['findFailedRuns']>[0],
): Promise<Runs> {
  const ofType = `WorkflowType = ${quoted(workflowType)} AND TaskQueue = ${quoted(taskQueue)}`;
  const since = `CloseTime >= ${quoted(sinceIso)}`;
  const failed = await list(
    client,
    `${ofType} AND ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated') AND ${since}`,
  );
  // What completes while this looks is found by the second look at each retry.
  const running = await list(client, `${ofType} AND ExecutionStatus = 'Running'`);
  const completed = await list(client, `${ofType} AND ExecutionStatus = 'Completed' AND ${since}`);
  return { failed, running, completed };
}

async function list(client: TemporalClient, query: string): Promise<readonly WorkflowExecutionInfo[]> {
  return await client.call(
    `Listing workflows: ${query}`,
    async (sdk) => {
      const runs: WorkflowExecutionInfo[] = [];
      for await (const run of sdk.workflow.list({ query, pageSize: 200 })) {
        runs.push(run);
        if (runs.length >= MOST_RUNS) break;
      }
      return runs;
    },
    { timeoutMs: LIST_TIMEOUT_MS },
  );
}

/** How the latest run of a workflow id stands; undefined when there is none. */
export async function statusOf(
  client: TemporalClient,
  workflowId: string,
): Promise<WorkflowExecutionStatusName | undefined> {
  return await client.call(`Looking at ${workflowId}`, async (sdk) => {
    try {
      return (await sdk.workflow.getHandle(workflowId).describe()).status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  });
}

/** A string of Temporal's list filters. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
