import { GridError } from '../../grid/errors.ts';
import { nearNames } from '../../runtime/near-names.ts';
import type { Job } from '../../workflows/job/job-contract.ts';
import { jobOf, JOBS } from '../../workflows/registry.ts';

/** Shorter ones are part of too many names. */
const SHORTEST_PART = 4;

/** @throws GridError `invalid-input`: the workflow that was most likely meant, and all there are */
export function knownJob(workflowType: string): Job {
  const job = jobOf(workflowType);
  if (job !== undefined) return job;
  const near = nearestWorkflowType(workflowType);
  const known = JOBS.map(({ contract }) => `${contract.workflowType} (${contract.summary})`);
  throw new GridError(
    'invalid-input',
    `Starting ${workflowType}: there is no such workflow.${near === undefined ? '' : ` Did you mean ${near}?`} Known are: ${known.join(', ')}.`,
  );
}

/** The known type that `name` was most likely meant to be; undefined when none is near. */
export function nearestWorkflowType(name: string): string | undefined {
  const types = JOBS.map(({ contract }) => contract.workflowType);
  const [near] = nearNames(name, types, 1);
  if (near !== undefined || name.length < SHORTEST_PART) return near;
  return types.find((type) => type.toLowerCase().includes(name.toLowerCase()));
}
