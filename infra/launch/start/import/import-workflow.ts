import type { TemporalClient } from '../../../../connectors/temporal/client.ts';
import { startOrTakeUp, statusOf } from '../../../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../../../connectors/temporal/followed-workflow.ts';
import { asGridError } from '../../../../grid/errors.ts';
import type { Config } from '../../../../runtime/config.ts';
import { firstAbortionOf } from '../../../../runtime/waiting/abortion.ts';
import { pause } from '../../../../runtime/waiting/pause.ts';
import { importContract, type ImportProgress, type ImportSummary } from '../../../../workflows/import/contract.ts';
import { importText } from '../../../../workflows/import/text.ts';
import { openTemporal } from '../open-temporal.ts';

const { workflowType } = importContract;
/** The import of everything, by which a fresh stack gets its history. */
export const FIRST_IMPORT = 'first-import';
/** The one of later starts, which takes over what has changed since. */
export const LATER_IMPORT = 'import-at-start';

const POLL_MS = 1_000;
/** A server that has just been started answers before it knows its namespace. */
const LONGEST_START_MS = 30_000;

export type ImportEnd =
  { readonly kind: 'done'; readonly summary: ImportSummary } | { readonly kind: 'failed'; readonly message: string };

/** The workflow `importSqlHistory` of one `npm start`, as an operator would start and follow it. */
export class ImportWorkflow {
  readonly workflowId: string;
  readonly #client: TemporalClient;
  readonly #followed: FollowedWorkflow;

  private constructor(client: TemporalClient, workflowId: string) {
    this.#client = client;
    this.workflowId = workflowId;
    this.#followed = new FollowedWorkflow(client, workflowId);
  }

  /**
   * Starts an import, or takes up one that an earlier `npm start` has left running.
   *
   * @param isImported whether the source has been imported before: then only what has changed is taken over.
   * @throws GridError `temporal-unavailable`, `temporal-refused`; `shutting-down` when `signal` aborts
   */
  static async start(
    config: Pick<Config, 'TEMPORAL_ADDRESS' | 'TEMPORAL_NAMESPACE' | 'TEMPORAL_TASK_QUEUE'>,
    isImported: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<ImportWorkflow> {
    const client = await openTemporal(config);
    try {
      const status = await untilAnswered(signal, () => statusOf(client, FIRST_IMPORT, signal));
      if (status === 'RUNNING') return new ImportWorkflow(client, FIRST_IMPORT);
      const [workflowId, input] = (await isImported())
        ? ([LATER_IMPORT, { mode: 'merge', reconcile: true }] as const)
        : ([FIRST_IMPORT, {}] as const);
      // One that an earlier start has left is as good.
      await startOrTakeUp(client, { workflowType, workflowId, taskQueue: config.TEMPORAL_TASK_QUEUE, input }, signal);
      return new ImportWorkflow(client, workflowId);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /**
   * Follows it to its end, through restarts of Temporal and of the worker.
   *
   * @param tell given what it answers about its progress, about every second
   * @throws GridError `temporal-unavailable`, `temporal-refused`; `shutting-down` when `signal` aborts: the workflow goes on as
   *   soon as there is a worker
   */
  async follow(tell: (progress: ImportProgress) => void, signal: AbortSignal): Promise<ImportEnd> {
    const over = new AbortController();
    const either = firstAbortionOf([signal, over.signal]);
    const watching = this.#watch(tell, either.signal);
    try {
      const end = await this.#followed.end(signal);
      if (!end.completed) return { kind: 'failed', message: end.failure.message };
      const summary = importContract.result.safeParse(end.result);
      if (summary.success) return { kind: 'done', summary: summary.data };
      return { kind: 'failed', message: 'It ended with a result that this version does not understand.' };
    } finally {
      over.abort();
      await watching;
      either.forget();
    }
  }

  async #watch(tell: (progress: ImportProgress) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // No answer while the worker starts, or while it or Temporal is away.
      const answer: unknown = await this.#followed.progress(signal).catch(() => undefined);
      const progress = importContract.progress.safeParse(answer);
      if (progress.success) {
        const heartbeats = await this.#followed.heartbeats(signal).catch(() => []);
        tell(importText.withHeartbeats(progress.data, heartbeats));
      }
      await pause(POLL_MS, signal);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** Tries again while Temporal does not answer, or has not made its namespace yet. */
async function untilAnswered<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + LONGEST_START_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const { code } = asGridError(error, 'Asking Temporal');
      const isPassing = code === 'temporal-unavailable' || code === 'temporal-refused';
      if (!isPassing || signal.aborted || Date.now() > deadlineMs) throw error;
      await pause(POLL_MS, signal);
    }
  }
}
