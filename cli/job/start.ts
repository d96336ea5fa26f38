import { randomUUID } from 'node:crypto';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import { startWorkflow } from '../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../connectors/temporal/followed-workflow.ts';
import { GridError } from '../../grid/errors.ts';
import { follow } from './follow.ts';
import { listenForInterrupts } from './interrupts.ts';
import { EXIT, outcomeOf, type CommandOutcome } from './outcome.ts';
import { progressView } from './progress-view.ts';
import { progressLines } from './told-lines.ts';
import { knownJob } from './workflow-names.ts';

/** Rows of a progress that is drawn over and over. */
const TABLE_ROWS = 12;

export interface StartOptions {
  readonly workflowType: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly workflowId?: string;
  /** Do not wait for its end. */
  readonly detach: boolean;
}

/**
 * Starts a workflow and, unless it is detached, follows it to its end.
 *
 * @throws GridError `invalid-input` for an unknown workflow, `temporal-refused` when one of that id is running, `temporal-unavailable`
 */
export async function startJob(
  temporal: TemporalClient,
  taskQueue: string,
  options: StartOptions,
): Promise<CommandOutcome> {
  const { workflowType, input } = options;
  knownJob(workflowType);
  const workflowId = options.workflowId ?? `${workflowType}-${randomUUID()}`;
  const workflowRunId = await startWorkflow(temporal, { workflowType, workflowId, taskQueue, input });
  process.stderr.write(`started ${workflowType}, workflow id ${workflowId}\n`);
  if (options.detach) {
    return {
      exitCode: EXIT.done,
      report: [`Follow it: npm run job -- follow ${workflowId}`],
      result: { status: 'started', workflowId, workflowRunId },
    };
  }
  return followJob(temporal, taskQueue, workflowType, workflowId);
}

/** Follows a workflow that is there, to its end. */
export async function followJob(
  temporal: TemporalClient,
  taskQueue: string,
  workflowType: string,
  workflowId: string,
): Promise<CommandOutcome> {
  const interrupts = listenForInterrupts();
  try {
    const workflow = new FollowedWorkflow(temporal, workflowId);
    const tell = (progress: unknown): string[] => progressLines(workflowType, progress, TABLE_ROWS);
    const view = progressView(process.stderr);
    const followed = await follow({ temporal, workflow, taskQueue, view, interrupts, tell });
    return outcomeOf(followed, workflowType, workflowId);
  } catch (error) {
    // Whoever reads the result needs to know which workflow still runs.
    if (!(error instanceof GridError)) throw error;
    throw new GridError(error.code, error.message, { cause: error, details: { workflowId } });
  } finally {
    interrupts.close();
  }
}
