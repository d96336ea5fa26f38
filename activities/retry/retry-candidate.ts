import type { TemporalClient } from '../../connectors/temporal/client.ts';
import { failureOf, inputsOf, type Execution } from '../../connectors/temporal/executions.ts';
import type { WorkflowFailure } from '../../connectors/temporal/workflow-failure.ts';
import type { ErrorCode } from '../../grid/errors.ts';
import type { RetryCandidate } from '../../workflows/retry/contract.ts';
import type { RetriedWork } from './retried-work.ts';

const LONGEST_REASON = 1_000;
/** Failures that only another input can make good. */
const FOR_ITS_INPUT: ReadonlySet<string> = new Set<ErrorCode>(['invalid-input', 'unknown-table', 'unknown-column']);

const UNTOLD: WorkflowFailure = {
  ...{ status: 'failed', code: 'defect', message: 'It failed, and does not say why.', details: [] },
};

/** What can be done about a failed run. */
export async function candidateOf(client: TemporalClient, run: Execution, work: RetriedWork): Promise<RetryCandidate> {
  const { workflowId, runId, workflowType } = run;
  const { retryWorkflowId } = work;
  const failure = (await failureOf(client, run)) ?? UNTOLD;
  const input = oneInput(await inputsOf(client, run));
  const common = { workflowId, workflowRunId: runId, workflowType, retryWorkflowId };
  const reason = failure.message.slice(0, LONGEST_REASON);
  if (FOR_ITS_INPUT.has(failure.code)) return { ...common, state: 'unretryable', reason, input: {} };
  if (input === undefined) {
    return { ...common, state: 'unretryable', reason: `Its input is not one object. ${reason}`, input: {} };
  }
  return { ...common, state: 'failed', reason, input: retryInput(input, work) };
}

/** An import goes on with what is there, and tells at once when it fails again: whoever retries waits for it. */
function retryInput(
  input: Readonly<Record<string, unknown>>,
  { importRunId }: RetriedWork,
): Readonly<Record<string, unknown>> {
  return importRunId === undefined ? input : { ...input, resume: importRunId, onParked: 'fail' };
}

/** The one object that a run was started with, `{}` for none; undefined for something else. */
function oneInput([input, ...more]: readonly unknown[]): Readonly<Record<string, unknown>> | undefined {
  if (input === undefined || input === null) return more.length === 0 ? {} : undefined;
  return typeof input === 'object' && !Array.isArray(input) && more.length === 0 ? { ...input } : undefined;
}
