import type { TemporalClient } from '../../../../connectors/temporal/client.ts';
import { startOrTakeUp } from '../../../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../../../connectors/temporal/followed-workflow.ts';
import { asGridError } from '../../../../grid/errors.ts';
import type { Config } from '../../../../runtime/config.ts';
import { viewsContract, type ViewsResult } from '../../../../workflows/views/contract.ts';
import { openTemporal } from '../open-temporal.ts';

/** The build of batch views, the same for every start: it adds what has come since the last. */
export const FIRST_VIEWS = 'first-batch-views';

export type FirstViewsEnd =
  | { readonly kind: 'done'; readonly result: ViewsResult }
  | { readonly kind: 'failed'; readonly message: string }
  /** It was to stop; the workflow stays in Temporal and goes on next time. */
  | { readonly kind: 'interrupted' };

/** Builds batch views of the readings that lie in HDFS by the workflow `buildBatchViews`. Its servers and the batch worker are up. Never rejects. */
export async function buildFirstViews(config: Config, signal: AbortSignal): Promise<FirstViewsEnd> {
  let client: TemporalClient | undefined;
  try {
    client = await openTemporal(config);
    const { workflowType } = viewsContract;
    const taskQueue = config.TEMPORAL_TASK_QUEUE;
    await startOrTakeUp(client, { workflowType, workflowId: FIRST_VIEWS, taskQueue, input: {} }, signal);
    const end = await new FollowedWorkflow(client, FIRST_VIEWS).end(signal);
    if (!end.completed) return { kind: 'failed', message: end.failure.message };
    const result = viewsContract.result.safeParse(end.result);
    return result.success
      ? { kind: 'done', result: result.data }
      : { kind: 'failed', message: 'It ended with a result that this version does not understand.' };
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    return { kind: 'failed', message: asGridError(error, 'Building batch views').message };
  } finally {
    await client?.close();
  }
}
