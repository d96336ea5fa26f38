import {
  WorkflowExecutionAlreadyStartedError,
  type Client,
  type WorkflowExecutionInfo,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import { GridError } from '../../grid/errors.ts';
import type { TemporalClient } from './client.ts';

/** One execution of a workflow. */
export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly status: WorkflowExecutionStatusName;
  readonly startedAt: Date;
  readonly closedAt?: Date;
}

export interface ExecutionFilter {
  readonly taskQueue: string;
  /** As Temporal writes it: `Failed`. */
  readonly status?: string;
  readonly workflowType?: string;
  readonly limit: number;
}

/**
 * Starts a workflow with one input object.
 *
 * @returns its run id
 * @throws GridError `temporal-refused` when one of that id is running; see also {@link TemporalClient.call}
 */
export function startWorkflow(
  temporal: TemporalClient,
  options: {
    readonly workflowType: string;
    readonly workflowId: string;
    readonly taskQueue: string;
    readonly input: Readonly<Record<string, unknown>>;
  },
): Promise<string> {
  const { workflowType, workflowId, taskQueue, input } = options;
  return temporal.call(`Starting ${workflowType}`, async (client) => {
    try {
      const handle = await client.workflow.start(workflowType, {
        taskQueue,
        workflowId,
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
      });
      return handle.firstExecutionRunId;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new GridError(
        'temporal-refused',
        `Starting ${workflowType}: a workflow with the id ${workflowId} is already running. Follow it (npm run job -- follow ${workflowId}), cancel it (npm run job -- cancel ${workflowId}), or choose another id.`,
        { cause: error },
      );
    }
  });
}

/** The newest executions that people, schedules and programs have started; not those that workflows are made of. */
export function listExecutions(temporal: TemporalClient, filter: ExecutionFilter): Promise<Execution[]> {
  const terms = [
    `TaskQueue = ${quoted(filter.taskQueue)}`,
    ...(filter.status === undefined ? [] : [`ExecutionStatus = ${quoted(filter.status)}`]),
    ...(filter.workflowType === undefined ? [] : [`WorkflowType = ${quoted(filter.workflowType)}`]),
  ];
  return temporal.call('Listing workflows', async (client) => {
    const executions: Execution[] = [];
    for await (const info of client.workflow.list({ query: terms.join(' AND '), pageSize: 200 })) {
      if (info.parentExecution !== undefined) continue;
      executions.push(executionOf(info));
      if (executions.length === filter.limit) break;
    }
    return executions;
  });
}

/** @throws GridError `temporal-refused` when there is none of that id */
export function describeExecution(temporal: TemporalClient, workflowId: string): Promise<Execution> {
  return temporal.call(`Describing ${workflowId}`, async (client) =>
    executionOf(await client.workflow.getHandle(workflowId).describe()),
  );
}

/** The input that an execution was started with; undefined when it had none, or one that is no JSON. */
export function inputOf(temporal: TemporalClient, { workflowId, runId }: Execution): Promise<unknown> {
  return temporal.call(`Reading the input of ${workflowId}`, (client) => firstInput(client, workflowId, runId));
}

async function firstInput(client: Client, workflowId: string, runId: string): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const data = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  if (data === null || data === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(data).toString());
  } catch {
    return undefined;
  }
}

type ExecutionInfo = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'runId' | 'type' | 'taskQueue' | 'status' | 'startTime'
> & {
  readonly closeTime?: Date | undefined;
};

function executionOf(info: ExecutionInfo): Execution {
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    workflowType: info.type,
    taskQueue: info.taskQueue,
    status: info.status.name,
    startedAt: info.startTime,
    ...(info.closeTime === undefined ? {} : { closedAt: info.closeTime }),
  };
}

/** A value in Temporal's list filters, which are an SQL dialect. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
