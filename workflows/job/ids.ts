import { workflowInfo, type WorkflowInfo } from '@temporalio/workflow';

/** As much of a run id as tells runs apart; it is random from its end on. */
const RUN_ID_CHARACTERS = 12;

/** Names what a job works on as a whole, whatever it continues as: the same in every run of one execution. */
export function workName({ firstExecutionRunId }: Pick<WorkflowInfo, 'firstExecutionRunId'>): string {
  return firstExecutionRunId.slice(-RUN_ID_CHARACTERS);
}

/** Workflow id of a part of this run. @param part tells apart the parts that one run starts */
export function partId(part: string): string {
  const { workflowId, runId } = workflowInfo();
  return `${workflowId}/${part}-${runId.slice(-RUN_ID_CHARACTERS)}`;
}
