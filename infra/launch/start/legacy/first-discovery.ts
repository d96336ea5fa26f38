import type { TemporalClient } from '../../../../connectors/temporal/client.ts';
import { startOrTakeUp } from '../../../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../../../connectors/temporal/followed-workflow.ts';
import { asGridError } from '../../../../grid/errors.ts';
import type { Config } from '../../../../runtime/config.ts';
import { firstAbortionOf } from '../../../../runtime/waiting/abortion.ts';
import { pause } from '../../../../runtime/waiting/pause.ts';
import { discoveryContract, type DiscoveryResult } from '../../../../workflows/discovery/contract.ts';
import { discoveryText } from '../../../../workflows/discovery/text.ts';
import { provideShare, type ShareOptions } from '../../../datasets/share/share.ts';
import { explainDiskError } from '../../../native/install/installation.ts';
import { openTemporal } from '../open-temporal.ts';

/** The crawl of the sample share, the same for every start: of what is known and unchanged nothing is read. */
export const FIRST_DISCOVERY = 'first-discovery';
const POLL_MS = 1_000;
/** Few, so that it is seen how it goes on. */
const UNIT_FILES = 100;

export type FirstDiscoveryEnd =
  | { readonly kind: 'done'; readonly result: DiscoveryResult }
  | { readonly kind: 'failed'; readonly message: string }
  /** It was to stop; the workflow stays in Temporal and goes on next time. */
  | { readonly kind: 'interrupted' };

/**
 * Makes the sample share, and has its files found, identified and landed by the workflow `discoverLegacyFiles`, as an operator would. HDFS, MongoDB,
 * Temporal and the batch worker are up. Never rejects.
 *
 * @param tell given what is going on, about every second
 */
export async function discoverSampleShare(
  config: Config,
  share: Omit<ShareOptions, 'signal'>,
  tell: (text: string) => void,
  signal: AbortSignal,
  workflowId = FIRST_DISCOVERY,
): Promise<FirstDiscoveryEnd> {
  let client: TemporalClient | undefined;
  try {
    tell('making a sample share');
    await provideShare({ ...share, signal });
    client = await openTemporal(config);
    const { workflowType } = discoveryContract;
    const taskQueue = config.TEMPORAL_TASK_QUEUE;
    const input = { root: share.directory, unitFiles: UNIT_FILES };
    await startOrTakeUp(client, { workflowType, workflowId, taskQueue, input }, signal);
    return await follow(new FollowedWorkflow(client, workflowId), tell, signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'interrupted' };
    const explained = explainDiskError(error, share.directory);
    return { kind: 'failed', message: asGridError(explained, 'Discovering the files of the sample share').message };
  } finally {
    await client?.close();
  }
}

async function follow(
  workflow: FollowedWorkflow,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<FirstDiscoveryEnd> {
  const over = new AbortController();
  const either = firstAbortionOf([signal, over.signal]);
  const watching = watch(workflow, tell, either.signal);
  try {
    const end = await workflow.end(signal);
    if (!end.completed) return { kind: 'failed', message: end.failure.message };
    const result = discoveryContract.result.safeParse(end.result);
    return result.success
      ? { kind: 'done', result: result.data }
      : { kind: 'failed', message: 'It ended with a result that this version does not understand.' };
  } finally {
    over.abort();
    await watching;
    either.forget();
  }
}

async function watch(workflow: FollowedWorkflow, tell: (text: string) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // No answer while the worker is away.
    const answer: unknown = await workflow.progress(signal).catch(() => undefined);
    const progress = discoveryContract.progress.safeParse(answer);
    if (progress.success) tell(discoveryText.progress(progress.data).headline);
    await pause(POLL_MS, signal);
  }
}
