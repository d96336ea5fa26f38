import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import { jobOf } from '../../workflows/registry.ts';

const QUERY_TIMEOUT_MS = 5_000;

/** Why a running workflow waits for the signal `retryFailed`; undefined when it does not. */
export async function waitingReason(
  client: TemporalClient,
  { workflowId, runId, type }: Pick<WorkflowExecutionInfo, 'workflowId' | 'runId' | 'type'>,
): Promise<string | undefined> {
  const answer: unknown = await client.call(
    `Asking ${workflowId} for its progress`,
    (sdk) => sdk.workflow.getHandle(workflowId, runId).query<unknown>('progress'),
    { timeoutMs: QUERY_TIMEOUT_MS },
  );
  return jobOf(type)?.waitsForRetry(answer);
}
