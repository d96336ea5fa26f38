import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { FollowedWorkflow, WorkflowEnd } from '../../connectors/temporal/followed-workflow.ts';
import { isPolled } from '../../connectors/temporal/pollers.ts';
import { GridError } from '../../grid/errors.ts';
import { abortionOf, firstAbortionOf } from '../../runtime/waiting/abortion.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import type { Interrupts } from './interrupts.ts';
import type { ProgressView } from './progress-view.ts';

const LOOK_EVERY_MS = 1_000;
/** A workflow without news: so often it is asked whether anybody works on it at all. */
const SUSPECT_EVERY_MS = 5_000;

export type Followed = WorkflowEnd | 'left';

export interface FollowOptions {
  readonly temporal: TemporalClient;
  readonly workflow: FollowedWorkflow;
  readonly taskQueue: string;
  readonly view: ProgressView;
  readonly interrupts: Interrupts;
  /** What is shown of an answer to its query `progress`. */
  readonly tell: (progress: unknown) => readonly string[];
}

/**
 * Shows a workflow's progress until it ends, or until the user has had enough: the first Ctrl-C cancels the workflow and waits
 * for its end, the second leaves it as it is.
 */
export async function follow(options: FollowOptions): Promise<Followed> {
  const { workflow, view, interrupts } = options;
  const over = new AbortController();
  const done = firstAbortionOf([over.signal, interrupts.leave]);
  const looking = look(options, done.signal);
  const cancelling = cancelWhenAsked(workflow, view, interrupts, over.signal);
  try {
    return await workflow.end(interrupts.leave);
  } catch (error) {
    if (error instanceof GridError && error.code === 'shutting-down') return 'left';
    throw error;
  } finally {
    over.abort();
    await Promise.all([looking, cancelling]);
    done.forget();
    view.end();
  }
}

async function look({ temporal, workflow, taskQueue, view, tell }: FollowOptions, signal: AbortSignal): Promise<void> {
  let suspectedMs = Number.NEGATIVE_INFINITY;
  let said = '';
  while (!signal.aborted) {
    const nowMs = performance.now();
    let trouble = '';
    try {
      const progress = await workflow.progress(signal);
      if (progress !== undefined) view.show(tell(progress));
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
    await pause(LOOK_EVERY_MS, signal);
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
  const either = firstAbortionOf([interrupts.cancel, interrupts.leave, over]);
  await abortionOf(either.signal).happened;
  either.forget();
  if (!interrupts.cancel.aborted || over.aborted) return;
  view.say(`cancelling ${workflow.workflowId}; press Ctrl-C again to leave it to itself`);
  try {
    await workflow.cancel();
  } catch (error) {
    view.say(error instanceof Error ? error.message : String(error));
  }
}
