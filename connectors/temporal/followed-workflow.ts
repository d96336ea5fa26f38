import type { Client, WorkflowHandle } from '@temporalio/client';
import { GridError } from '../../grid/errors.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import type { TemporalClient } from './client.ts';
import { DEADLINE_EXCEEDED } from './failure.ts';
import { workflowFailure, type WorkflowFailure } from './workflow-failure.ts';

/** How a workflow ended. */
export type WorkflowEnd =
  | { readonly completed: true; readonly result: unknown }
  | { readonly completed: false; readonly failure: WorkflowFailure };

const QUERY_TIMEOUT_MS = 4_000;
const RETRY_DELAY_MS = 1_000;
/** How long a follower waits for Temporal to come back. The workflow itself waits without end. */
const PATIENCE_MS = 15 * 60_000;
/** Longest single wait for news; Temporal answers a long poll after a minute at the latest. */
const LONG_POLL_MS = 90_000;

/** One workflow and the runs that it continues as, seen from outside. */
export class FollowedWorkflow {
  readonly workflowId: string;
  readonly #temporal: TemporalClient;
  readonly #handle: (client: Client) => WorkflowHandle;

  /** @param runId of one run; absent: the newest */
  constructor(temporal: TemporalClient, workflowId: string, runId?: string) {
    this.workflowId = workflowId;
    this.#temporal = temporal;
    this.#handle = (client) => client.workflow.getHandle(workflowId, runId);
  }

  /**
   * Waits for its end, over outages of Temporal.
   *
   * @throws GridError `temporal-unavailable` when Temporal is gone for a quarter of an hour, `temporal-refused`, `shutting-down`
   */
  async end(signal: AbortSignal): Promise<WorkflowEnd> {
    const attempt = `Waiting for the end of ${this.workflowId}`;
    let lostSinceMs: number | undefined;
    for (;;) {
      try {
        const result = await this.#temporal.call(attempt, (client): Promise<unknown> => this.#handle(client).result(), {
          timeoutMs: LONG_POLL_MS,
          signal,
        });
        return { completed: true, result };
      } catch (error) {
        if (!(error instanceof GridError)) throw error;
        const failure = workflowFailure(error.cause);
        if (failure !== undefined) return { completed: false, failure };
        if (!error.retryable || error.code === 'shutting-down') throw error;
        const nowMs = performance.now();
        // Our own time limit on a long poll tells nothing about Temporal.
        if (error.details?.['grpcStatus'] === DEADLINE_EXCEEDED) lostSinceMs = undefined;
        else lostSinceMs ??= nowMs;
        if (lostSinceMs !== undefined && nowMs - lostSinceMs > PATIENCE_MS) throw error;
      }
      await pause(RETRY_DELAY_MS, signal);
    }
  }

  /**
   * What its query `progress` answers; undefined when it has no such query.
   *
   * @throws GridError `temporal-unavailable` when no worker or no server answers
   */
  async progress(signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#temporal.call(
        `Asking ${this.workflowId} for its progress`,
        (client): Promise<unknown> => this.#handle(client).query('progress'),
        { timeoutMs: QUERY_TIMEOUT_MS, signal },
      );
    } catch (error) {
      if (error instanceof GridError && error.code === 'temporal-refused') return undefined;
      throw error;
    }
  }

  /** Asks it to cancel itself; it ends when it has cleaned up. */
  async cancel(): Promise<void> {
    await this.#temporal.call(`Cancelling ${this.workflowId}`, (client) => this.#handle(client).cancel());
  }
}
