import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowExecutionInfo,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import { GridError } from '../../grid/errors.ts';
import type { TemporalClient } from './client.ts';
import { workflowFailure, type WorkflowFailure } from './workflow-failure.ts';

const LIST_TIMEOUT_MS = 60_000;
const QUERY_TIMEOUT_MS = 5_000;

/** One execution of a workflow. */
export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly status: WorkflowExecutionStatusName;
  readonly startedAt: Date;
  readonly closedAt?: Date;
  /** What it was given beside its input, for people and programs that look for it. */
  readonly memo: Readonly<Record<string, unknown>>;
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

/**
 * Starts a workflow, or takes up the one of that id that is running.
 *
 * @throws see {@link TemporalClient.call}
 */
export async function startOrTakeUp(
  temporal: TemporalClient,
  options: {
    readonly workflowType: string;
    readonly workflowId: string;
    readonly taskQueue: string;
    readonly input: Readonly<Record<string, unknown>>;
  },
  signal?: AbortSignal,
): Promise<void> {
  const { workflowType, workflowId, taskQueue, input } = options;
  await temporal.call(
    `Starting ${workflowType} as ${workflowId}`,
    (client) =>
      client.workflow.start(workflowType, {
        ...{ workflowId, taskQueue, args: [input] },
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    signal === undefined ? {} : { signal },
  );
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

/** How the latest execution of a workflow id stands; undefined when there is none. */
export function statusOf(
  temporal: TemporalClient,
  workflowId: string,
  signal?: AbortSignal,
): Promise<WorkflowExecutionStatusName | undefined> {
  return temporal.call(
    `Looking at ${workflowId}`,
    async (client) => {
      try {
        return (await client.workflow.getHandle(workflowId).describe()).status.name;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw error;
      }
    },
    signal === undefined ? {} : { signal },
  );
}

/**
 * Executions by a list filter of Temporal's.
 *
 * @param most so many at most, in no particular order
 */
export function executionsWhere(temporal: TemporalClient, filter: string, most: number): Promise<readonly Execution[]> {
  return temporal.call(
    `Listing workflows: ${filter}`,
    async (client) => {
      const executions: Execution[] = [];
      for await (const info of client.workflow.list({ query: filter, pageSize: 200 })) {
        executions.push(executionOf(info));
        if (executions.length >= most) break;
      }
      return executions;
    },
    { timeoutMs: LIST_TIMEOUT_MS },
  );
}

/** Why a run did not complete; undefined when it did. */
export function failureOf(
  temporal: TemporalClient,
  { workflowId, runId }: Pick<Execution, 'workflowId' | 'runId'>,
): Promise<WorkflowFailure | undefined> {
  return temporal.call(`Asking why ${workflowId} failed`, async (client) => {
    try {
      await client.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
    } catch (error) {
      const failure = workflowFailure(error);
      if (failure === undefined) throw error;
      return failure;
    }
    return undefined;
  });
}

/**
 * What a run's query answers, within a time that a worker needs.
 *
 * @throws GridError `temporal-refused` when it has no such query, `temporal-unavailable` when no worker answers
 */
export function queryWorkflow(
  temporal: TemporalClient,
  { workflowId, runId }: Pick<Execution, 'workflowId' | 'runId'>,
  query: string,
): Promise<unknown> {
  return temporal.call(
    `Asking ${workflowId} for its ${query}`,
    (client) => client.workflow.getHandle(workflowId, runId).query<unknown>(query),
    { timeoutMs: QUERY_TIMEOUT_MS },
  );
}

/** Sends a signal to a run. @param attempt what is being tried, for the message */
export function signalWorkflow(
  temporal: TemporalClient,
  { workflowId, runId }: Pick<Execution, 'workflowId' | 'runId'>,
  signal: { readonly name: string; readonly payload: unknown; readonly attempt: string },
): Promise<void> {
  return temporal.call(signal.attempt, (client) =>
    client.workflow.getHandle(workflowId, runId).signal(signal.name, signal.payload),
  );
}

/** The values that an execution was started with, decoded; empty when it had none. */
export function inputsOf(
  temporal: TemporalClient,
  { workflowId, runId }: Pick<Execution, 'workflowId' | 'runId'>,
): Promise<readonly unknown[]> {
  return temporal.call(`Reading the input of ${workflowId}`, async (client) => {
    const { history } = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      // The first event has it.
      maximumPageSize: 1,
    });
    const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
    let payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    for (const codec of payloadCodecs) payloads = await codec.decode(payloads);
    return payloads.map((payload): unknown => payloadConverter.fromPayload(payload));
  });
}

type ExecutionInfo = Pick<
  WorkflowExecutionInfo,
  'workflowId' | 'runId' | 'type' | 'taskQueue' | 'status' | 'startTime' | 'memo'
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
    memo: info.memo ?? {},
    ...(info.closeTime === undefined ? {} : { closedAt: info.closeTime }),
  };
}

/** A value in Temporal's list filters, which are an SQL dialect. */
export function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
