import { setTimeout as sleep } from 'node:timers/promises';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { FollowedWorkflow, WorkflowEnd } from '../../connectors/temporal/followed-workflow.ts';
import { isPolled } from '../../connectors/temporal/pollers.ts';
import { GridError } from '../../grid/errors.ts';
import type { Interrupts } from './interrupts.ts';
import { progressLines } from '../../workflows/job/plain-lines.ts';
import type { ProgressView } from './progress-view.ts';

const LOOK_EVERY_MS = 1_000;
/** A workflow without news: so often it is asked whether anybody works on it at all. */
const SUSPECT_EVERY_MS = 5_000;
const TABLE_LINES = 12;

export type Followed = WorkflowEnd | 'left';

/**
 * Shows a workflow's progress until it ends, or until the user has had enough: the first Ctrl-C cancels the workflow and waits
 * for its end, the second leaves it as it is.
 */
export async function follow(
  temporal: TemporalClient,
  workflow: FollowedWorkflow,
  taskQueue: string,
  view: ProgressView,
  interrupts: Interrupts,
): Promise<Followed> {
  const over = new AbortController();
  const done = AbortSignal.any([over.signal, interrupts.leave]);
  const looking = look(temporal, workflow, taskQueue, view, done);
  const cancelling = cancelWhenAsked(workflow, view, interrupts, over.signal);
  try {
    return await workflow.end(interrupts.leave);
  } catch (error) {
    if (error instanceof GridError && error.code === 'shutting-down') return 'left';
    throw error;
  } finally {
    over.abort();
    await Promise.all([looking, cancelling]);
    view.end();
  }
}

async function look(
  temporal: TemporalClient,
  workflow: FollowedWorkflow,
  taskQueue: string,
  view: ProgressView,
  signal: AbortSignal,
): Promise<void> {
  let suspectedMs = Number.NEGATIVE_INFINITY;
  let said = '';
  while (!signal.aborted) {
    const nowMs = performance.now();
    let trouble = '';
    try {
      const progress = await workflow.progress(signal);
      if (progress !== undefined) view.show(progressLines(progress, TABLE_LINES));
      else if (nowMs - suspectedMs > SUSPECT_EVERY_MS) {
        suspectedMs = nowMs;
        trouble = await idleQueue(temporal, taskQueue, signal);
      } else trouble = said;
    } catch (error) {
      // Stopping is no trouble; and a worker that does not answer a query in time may just be starting.
      if (error instanceof GridError && error.code === 'temporal-unavailable') {
        trouble = await idleQueue(temporal, taskQueue, signal).catch((cause: unknown) =>
          cause instanceof GridError && cause.code !== 'shutting-down' ? `waiting: ${cause.message}` : '',
        );
      }
    }
    if (trouble !== '' && trouble !== said) view.say(trouble);
    said = trouble;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** A sentence when nobody works on the task queue, else nothing. */
async function idleQueue(temporal: TemporalClient, taskQueue: string, signal: AbortSignal): Promise<string> {
  if (await isPolled(temporal, taskQueue, signal)) return '';
  return `waiting: no batch worker is running on task queue ${taskQueue}. Start one: npm run worker:batch`;
}

async function cancelWhenAsked(
  workflow: FollowedWorkflow,
  view: ProgressView,
  interrupts: Interrupts,
  over: AbortSignal,
): Promise<void> {
  const either = AbortSignal.any([interrupts.cancel, interrupts.leave, over]);
  if (!either.aborted) {
    await new Promise<void>((resolve) => {
      either.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
    });
  }
  if (!interrupts.cancel.aborted || over.aborted) return;
  view.say(`cancelling ${workflow.workflowId}; press Ctrl-C again to leave it to itself`);
  try {
    await workflow.cancel();
  } catch (error) {
    view.say(error instanceof Error ? error.message : String(error));
  }
}
