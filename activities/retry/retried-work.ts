import type { Execution } from '../../connectors/temporal/executions.ts';
import { IMPORT_RUN_ID } from '../../workflows/import/contract.ts';

/** What a run did, or was to do: runs that try the same have the same. */
export interface RetriedWork {
  readonly key: string;
  readonly retryWorkflowId: string;
  /** Of an import: what its retry resumes. */
  readonly importRunId?: string;
}

const RETRY_ID = /\/retry\/[^/]+$/;

/**
 * The work of a run. An import and all that resumed it share the id in their memo; of any other workflow, a retry is told by its
 * workflow id.
 */
export function workOf({
  workflowType,
  workflowId,
  runId,
  memo,
}: Pick<Execution, 'workflowType' | 'workflowId' | 'runId' | 'memo'>): RetriedWork {
  const importRunId = memo[IMPORT_RUN_ID];
  if (typeof importRunId === 'string') {
    const retryWorkflowId = `${workflowType}/retry/${importRunId}`;
    return { key: retryWorkflowId, retryWorkflowId, importRunId };
  }
  const retryWorkflowId = RETRY_ID.test(workflowId) ? workflowId : `${workflowId}/retry/${runId.slice(-12)}`;
  return { key: retryWorkflowId, retryWorkflowId };
}
