import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import { workflowFailure, type WorkflowFailure } from '../../connectors/temporal/workflow-failure.ts';
import type { ErrorCode } from '../../grid/errors.ts';
import type { RetryCandidate } from '../../workflows/retry/contract.ts';
import type { RetriedWork } from './retried-work.ts';

const LONGEST_REASON = 1_000;
/** Failures that only another input can make good. */
const FOR_ITS_INPUT: ReadonlySet<string> = new Set<ErrorCode>(['invalid-input', 'unknown-table', 'unknown-column']);

/** What can be done about a failed run. */
export async function candidateOf(
  client: TemporalClient,
  run: WorkflowExecutionInfo,
  work: RetriedWork,
): Promise<RetryCandidate> {
  const { workflowId, runId, type } = run;
  const { retryWorkflowId } = work;
  const failure = await failureOf(client, run);
  const input = await inputOf(client, run);
  const common = { workflowId, workflowRunId: runId, workflowType: type, retryWorkflowId };
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

async function failureOf(client: TemporalClient, run: WorkflowExecutionInfo): Promise<WorkflowFailure> {
  return await client.call(`Asking why ${run.workflowId} failed`, async (sdk) => {
    try {
      await sdk.workflow.getHandle(run.workflowId, run.runId, { followRuns: false }).result();
    } catch (error) {
      const failure = workflowFailure(error);
      if (failure === undefined) throw error;
      return failure;
    }
    return { status: 'failed', code: 'defect', message: 'It failed, and does not say why.', details: [] };
  });
}

/** The one object that a run was started with, `{}` for none; undefined for something else. */
async function inputOf(
  client: TemporalClient,
  { workflowId, runId }: WorkflowExecutionInfo,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { namespace } = client;
  const values = await client.call(`Reading the input of ${workflowId}`, async (sdk) => {
    const { history } = await sdk.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      // The first event has it.
      maximumPageSize: 1,
    });
    const { payloadConverter, payloadCodecs } = sdk.options.loadedDataConverter;
    let payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    for (const codec of payloadCodecs) payloads = await codec.decode(payloads);
    return payloads.map((payload): unknown => payloadConverter.fromPayload(payload));
  });
  const [input, ...more] = values;
  if (input === undefined || input === null) return more.length === 0 ? {} : undefined;
  return typeof input === 'object' && !Array.isArray(input) && more.length === 0 ? { ...input } : undefined;
}
