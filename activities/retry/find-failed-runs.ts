import { statusOf, type Execution } from '../../connectors/temporal/executions.ts';
import type { RetryActivities, RetryCandidate } from '../../workflows/retry/contract.ts';
import { asGridError } from '../../grid/errors.ts';
import type { RetryDependencies } from './create.ts';
import { candidateOf } from './retry-candidate.ts';
import { workOf } from './retried-work.ts';
import { listRuns } from './runs.ts';
import { waitingReason } from './waiting-run.ts';

type Request = Parameters<RetryActivities['findFailedRuns']>[0];
type Found = Awaited<ReturnType<RetryActivities['findFailedRuns']>>;

/** What one retry takes on. Their inputs travel in one payload, of which Temporal bears 2 MB. */
const MOST_CANDIDATES = 100;
const MOST_INPUT_CHARACTERS = 1_000_000;

/** See {@link RetryActivities.findFailedRuns}. @throws GridError `temporal-unavailable`, `temporal-refused` */
export async function findFailedRuns(dependencies: RetryDependencies, request: Request): Promise<Found> {
  const { failed, running, completed } = await listRuns(dependencies.client, request);
  const settled = new Set([...completed, ...running].map((run) => workOf(run).key));
  const candidates: RetryCandidate[] = [];
  let leftOut = 0;
  let characters = 0;
  const add = (candidate: RetryCandidate): void => {
    characters += JSON.stringify(candidate.input).length;
    if (candidates.length < MOST_CANDIDATES && characters <= MOST_INPUT_CHARACTERS) candidates.push(candidate);
    else leftOut += 1;
  };

  for (const run of newestOfEachWork(failed)) {
    const work = workOf(run);
    if (settled.has(work.key)) continue;
    if (leftOut > 0) {
      leftOut += 1;
      continue;
    }
    const retry = await statusOf(dependencies.client, work.retryWorkflowId);
    if (retry === 'COMPLETED' || retry === 'RUNNING' || retry === 'CONTINUED_AS_NEW') continue;
    add(await candidateOf(dependencies.client, run, work));
  }
  for (const run of running.filter(({ startedAt }) => startedAt.toISOString() >= request.sinceIso)) {
    const reason = await reasonToWait(dependencies, run);
    if (reason === undefined) continue;
    const { workflowId, runId, workflowType } = run;
    const { retryWorkflowId } = workOf(run);
    add({ workflowId, workflowRunId: runId, workflowType, state: 'waiting', reason, retryWorkflowId, input: {} });
  }
  return { candidates, leftOut };
}

/** A failed retry stands for what it retried; the oldest work comes first. */
function newestOfEachWork(failed: readonly Execution[]): readonly Execution[] {
  const byAge = [...failed].sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
  const newest = new Map<string, Execution>();
  for (const run of byAge) newest.set(workOf(run).key, run);
  return [...newest.values()];
}

async function reasonToWait({ client, logger }: RetryDependencies, run: Execution): Promise<string | undefined> {
  try {
    return await waitingReason(client, run);
  } catch (error) {
    // No worker answers for it, or it is of a type that cannot be asked.
    const { code, message } = asGridError(error, 'Asking a run for its progress');
    logger.info({ workflowId: run.workflowId, code, reason: message }, 'a running workflow does not tell its progress');
    return undefined;
  }
}
