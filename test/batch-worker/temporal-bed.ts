import { randomUUID } from 'node:crypto';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { FollowedWorkflow, type WorkflowEnd } from '../../connectors/temporal/followed-workflow.ts';
import { startWorkflow } from '../../connectors/temporal/executions.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { WorkerProcess } from '../support/worker-process.ts';

const config = loadConfig();

/** A task queue of a test's own in the real Temporal, with what works on it. */
export class TemporalBed {
  readonly taskQueue = `test-${randomUUID().slice(0, 8)}`;
  readonly namespace = config.TEMPORAL_NAMESPACE;
  readonly address = config.TEMPORAL_ADDRESS[0] ?? '';
  readonly temporal = new TemporalClient({
    address: this.address,
    namespace: this.namespace,
    identity: 'test',
  });
  readonly #workers: WorkerProcess[] = [];
  readonly #workflowIds: string[] = [];

  /** Environment of processes that are to use this bed. */
  environment(temporalAddress = this.address): Record<string, string> {
    return {
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: this.namespace,
      TEMPORAL_TASK_QUEUE: this.taskQueue,
      BATCH_METRICS_PORT: '0',
      LOG_LEVEL: 'info',
    };
  }

  /** Starts a worker of the tests' workflows; returns before it is ready. */
  startWorker(extra: Readonly<Record<string, string>> = {}): WorkerProcess {
    const worker = new WorkerProcess('test/batch-worker/test-worker.ts', { ...this.environment(), ...extra });
    this.#workers.push(worker);
    return worker;
  }

  async startReadyWorker(extra: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
    const worker = this.startWorker(extra);
    await untilReady(worker);
    return worker;
  }

  async start(workflowType: string, input: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const workflowId = `${this.taskQueue}-${workflowType}-${randomUUID().slice(0, 8)}`;
    this.#workflowIds.push(workflowId);
    await startWorkflow(this.temporal, { workflowType, workflowId, taskQueue: this.taskQueue, input });
    return workflowId;
  }

  end(workflowId: string): Promise<WorkflowEnd> {
    return new FollowedWorkflow(this.temporal, workflowId).end(AbortSignal.timeout(240_000));
  }

  async cleanUp(): Promise<void> {
    for (const worker of this.#workers) if (worker.isRunning) await worker.kill();
    const { sdk } = this.temporal;
    for (const workflowId of this.#workflowIds) {
      await sdk.workflow
        .getHandle(workflowId)
        .terminate('end of the test')
        .catch(() => undefined);
    }
    await this.temporal.close();
  }
}

/** Where a worker's /readyz and /metrics are. */
export async function operationsUrl(worker: WorkerProcess): Promise<string> {
  return eventually('the operations server listens', () => {
    if (!worker.isRunning) throw new Error(`the worker has ended: ${worker.output}`);
    return /"url":"(http:[^"]*)\/metrics"/.exec(worker.output)?.[1];
  });
}

export async function readiness(worker: WorkerProcess): Promise<{ status: number; text: string }> {
  const reply = await fetch(`${await operationsUrl(worker)}/readyz`);
  return { status: reply.status, text: await reply.text() };
}

export async function untilReady(worker: WorkerProcess): Promise<void> {
  await eventually('the worker is ready', async () => (await readiness(worker)).status === 200);
}
