import type { TemporalClient } from '../../connectors/temporal/client.ts';
import {
  describeExecution,
  inputsOf,
  listExecutions,
  type Execution,
  type ExecutionFilter,
} from '../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../connectors/temporal/followed-workflow.ts';
import { GridError } from '../../grid/errors.ts';
import { durationText } from '../../grid/figures.ts';
import { EXIT, outcomeOf, type CommandOutcome } from './outcome.ts';
import { alignedLines } from '../../workflows/job/plain-lines.ts';
import { progressLines } from './told-lines.ts';

/** What a user may ask for, and what Temporal calls it. */
const STATUSES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    running: 'Running',
    completed: 'Completed',
    failed: 'Failed',
    cancelled: 'Canceled',
    canceled: 'Canceled',
    terminated: 'Terminated',
    'timed-out': 'TimedOut',
  }),
);

const CANCEL_PATIENCE_MS = 60_000;

/** Lists executions, the newest first: as a table, or as one line of JSON. */
export async function listJobs(
  temporal: TemporalClient,
  filter: Omit<ExecutionFilter, 'status'> & { readonly status?: string; readonly json: boolean },
): Promise<CommandOutcome> {
  const { status, json, ...rest } = filter;
  const known = status === undefined ? undefined : STATUSES.get(status.toLowerCase());
  if (status !== undefined && known === undefined) {
    throw new GridError(
      'invalid-input',
      `Listing workflows: there is no status ${status}. Known are: ${[...STATUSES.keys()].join(', ')}.`,
    );
  }
  const executions = await listExecutions(temporal, { ...rest, ...(known === undefined ? {} : { status: known }) });
  if (json) return { exitCode: EXIT.done, report: [], result: executions.map(plain) };
  const rows = executions.map((execution) => [
    statusText(execution),
    execution.startedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    durationText((execution.closedAt ?? new Date()).getTime() - execution.startedAt.getTime()),
    execution.workflowType,
    execution.workflowId,
  ]);
  const lines =
    rows.length === 0
      ? [`no workflows on task queue ${filter.taskQueue}`]
      : alignedLines([['status', 'started', 'took', 'workflow', 'id'], ...rows]);
  process.stdout.write(`${lines.join('\n')}\n`);
  return { exitCode: EXIT.done, report: [] };
}

/** Tells of one execution: its input, its progress, or how it ended. Its result is the last line of standard output. */
export async function showJob(temporal: TemporalClient, workflowId: string): Promise<CommandOutcome> {
  const execution = await describeExecution(temporal, workflowId);
  const [input] = await inputsOf(temporal, execution);
  const workflow = new FollowedWorkflow(temporal, workflowId, execution.runId);
  const report = [
    `${execution.workflowType} ${workflowId}, run ${execution.runId}`,
    `${statusText(execution)}, started ${execution.startedAt.toISOString()}${execution.closedAt === undefined ? '' : `, ended ${execution.closedAt.toISOString()}`}`,
    `input ${JSON.stringify(input ?? null)}`,
  ];
  if (execution.status === 'RUNNING') {
    const progress = await workflow.progress(AbortSignal.timeout(CANCEL_PATIENCE_MS)).catch(() => undefined);
    return {
      exitCode: EXIT.done,
      report: [...report, ...progressLines(execution.workflowType, progress, 50)],
      result: { ...plain(execution), progress: progress ?? null },
    };
  }
  const ended = await workflow.end(AbortSignal.timeout(CANCEL_PATIENCE_MS));
  const outcome = outcomeOf(ended, execution.workflowType, workflowId);
  return { ...outcome, exitCode: EXIT.done, report: [...report, ...outcome.report] };
}

/** Asks an execution to cancel itself, and waits a minute for its end. */
export async function cancelJob(temporal: TemporalClient, workflowId: string): Promise<CommandOutcome> {
  const execution = await describeExecution(temporal, workflowId);
  if (execution.status !== 'RUNNING') {
    throw new GridError(
      'temporal-refused',
      `Cancelling ${workflowId}: it is not running, it is ${statusText(execution)}. See npm run job -- show ${workflowId}`,
    );
  }
  const workflow = new FollowedWorkflow(temporal, workflowId);
  await workflow.cancel();
  process.stderr.write(`asked ${workflowId} to cancel; waiting for its end\n`);
  try {
    const ended = await workflow.end(AbortSignal.timeout(CANCEL_PATIENCE_MS));
    return { ...outcomeOf(ended, execution.workflowType, workflowId), exitCode: EXIT.done };
  } catch (error) {
    if (!(error instanceof GridError) || error.code !== 'shutting-down') throw error;
    return {
      exitCode: EXIT.failed,
      report: [`${workflowId} has not ended yet. It cleans up first, or no worker runs: npm run worker:batch`],
      result: { status: 'cancelling', workflowId },
    };
  }
}

function statusText({ status }: Pick<Execution, 'status'>): string {
  return status.toLowerCase().replaceAll('_', ' ').replace('canceled', 'cancelled');
}

function plain(execution: Execution): Record<string, unknown> {
  const { memo: _, ...rest } = execution;
  return { ...rest, status: statusText(execution) };
}
