import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type WorkflowExecutionInfo, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createRetryActivities } from '../../activities/retry/create.ts';
import { failuresByCode } from '../../connectors/temporal/activity-failures.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import type { ImportProgress, ImportSummary } from '../../workflows/import/contract.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { projectWorkflowBundle } from '../../workers/batch/workflow-bundle.ts';
import { eventually } from '../support/eventually.ts';
import { ScriptedImport, type ScriptedSource } from './scripted-import.ts';

const config = loadConfig();
const logger = createLogger({ name: 'test', level: 'warn', format: 'json' });

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** An import with activities of its own. */
export interface ImportBed {
  readonly activities: ScriptedImport;
  readonly taskQueue: string;
  readonly start: (input?: unknown, options?: StartOptions) => Promise<WorkflowHandle>;
}

export interface StartOptions {
  readonly workflowType?: string;
  readonly memo?: Record<string, unknown>;
  readonly workflowId?: string;
}

/** The project's workflows on the stack's Temporal, on task queues of their own, with activities that do as the test says. */
export class WorkflowBed {
  readonly client: TemporalClient;
  readonly #connection: NativeConnection;
  readonly #bundle: string;
  readonly #workers: { readonly worker: Worker; readonly ended: Promise<void> }[] = [];
  readonly #started: WorkflowHandle[] = [];

  private constructor(client: TemporalClient, connection: NativeConnection, bundle: string) {
    this.client = client;
    this.#connection = connection;
    this.#bundle = bundle;
  }

  static async open(): Promise<WorkflowBed> {
    const address = config.TEMPORAL_ADDRESS[0] ?? '';
    const [bundle, connection] = await Promise.all([
      projectWorkflowBundle(config, logger),
      NativeConnection.connect({ address }),
    ]);
    const client = new TemporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, identity: 'test' });
    return new WorkflowBed(client, connection, bundle);
  }

  async importing(source: ScriptedSource): Promise<ImportBed> {
    const taskQueue = `workflows-test-${randomUUID()}`;
    const activities = new ScriptedImport(this.client.sdk, source);
    const { openImport, holdSnapshot, publishTable, discardWork, planTable, bringSplits } = activities;
    const retry = createRetryActivities({ client: this.client, logger });
    await this.#work(taskQueue, { openImport, holdSnapshot, publishTable, discardWork, ...retry }, this.#bundle);
    await this.#work(`${taskQueue}-source`, { planTable, bringSplits });
    return {
      activities,
      taskQueue,
      start: async (input, options = {}) => {
        const handle = await this.client.sdk.workflow.start(options.workflowType ?? 'importSqlHistory', {
          taskQueue,
          workflowId: options.workflowId ?? `workflows-test-${randomUUID()}`,
          args: input === undefined ? [] : [input],
          ...(options.memo === undefined ? {} : { memo: options.memo }),
        });
        this.#started.push(handle);
        return handle;
      },
    };
  }

  /** The runs of an import that has ended, and of the workflows that it started. */
  async runsOf(workflowId: string): Promise<readonly WorkflowExecutionInfo[]> {
    return await eventually('visibility knows that all have ended', async () => {
      const runs: WorkflowExecutionInfo[] = [];
      const query = `WorkflowId STARTS_WITH '${workflowId}'`;
      for await (const run of this.client.sdk.workflow.list({ query })) runs.push(run);
      const isAll = runs.some((run) => run.workflowId === workflowId);
      return isAll && runs.every(({ status }) => status.name !== 'RUNNING') && runs;
    });
  }

  async close(): Promise<void> {
    for (const handle of this.#started) await handle.terminate('the test is over').catch(() => undefined);
    for (const { worker } of this.#workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(this.#workers.map(({ ended }) => ended));
    await this.#connection.close();
    await this.client.close();
  }

  async #work(taskQueue: string, activities: object, bundle?: string): Promise<void> {
    const worker = await Worker.create({
      connection: this.#connection,
      namespace: config.TEMPORAL_NAMESPACE,
      identity: 'test',
      taskQueue,
      activities,
      interceptors: { activity: [failuresByCode] },
      maxHeartbeatThrottleInterval: 100,
      defaultHeartbeatThrottleInterval: 100,
      shutdownGraceTime: 100,
      ...(bundle === undefined ? {} : { workflowBundle: { codePath: bundle } }),
    });
    this.#workers.push({ worker, ended: worker.run() });
  }
}

/** What a workflow failed with. */
export async function failureOf(handle: WorkflowHandle): Promise<ApplicationFailure> {
  try {
    await handle.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
    throw error;
  }
  throw new Error('it completed');
}

export async function summaryOf(handle: WorkflowHandle): Promise<ImportSummary> {
  return (await handle.result()) as ImportSummary;
}

export async function progressOf(handle: WorkflowHandle): Promise<ImportProgress> {
  return await handle.query<ImportProgress>('progress');
}
