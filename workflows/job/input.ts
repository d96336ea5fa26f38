import { ApplicationFailure } from '@temporalio/workflow';
import type { z } from 'zod';
import type { JobContract } from './job-contract.ts';

/**
 * The input of a job: one object, all of whose fields may be left out; nothing counts as `{}`.
 *
 * @throws ApplicationFailure `invalid-input`, final: one sentence, each bad field named
 */
export function jobInput<Input extends z.ZodType>(
  { workflowType, input }: Pick<JobContract<Input>, 'workflowType' | 'input'>,
  given: unknown,
): z.output<Input> {
  const parsed = input.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw ApplicationFailure.nonRetryable(
    `Reading the input of ${workflowType}: ${problems.join('; ')}. Correct the input and start it again; {} takes the defaults.`,
    'invalid-input',
  );
}
