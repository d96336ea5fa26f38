import type { TemporalClient } from '../../connectors/temporal/client.ts';
import { queryWorkflow, type Execution } from '../../connectors/temporal/executions.ts';
import { jobOf } from '../../workflows/registry.ts';

/**
 * Why a running workflow waits for the signal `retryFailed`; undefined when it does not.
 *
 * @throws GridError when it does not answer
 */
export async function waitingReason(
  client: TemporalClient,
  run: Pick<Execution, 'workflowId' | 'runId' | 'workflowType'>,
): Promise<string | undefined> {
  const job = jobOf(run.workflowType);
  return job === undefined ? undefined : job.waitsForRetry(await queryWorkflow(client, run, 'progress'));
}
