import { ApplicationFailure } from '@temporalio/workflow';
import type { z } from 'zod';
import { inputProblem } from '../../grid/history/import-input.ts';

/**
 * The input of a workflow: one object, all of whose fields may be left out; nothing counts as `{}`.
 *
 * @throws ApplicationFailure `invalid-input`, final: each bad field named
 */
export function workflowInput<T extends z.ZodType>(workflowType: string, schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  throw ApplicationFailure.nonRetryable(inputProblem(workflowType, parsed.error), 'invalid-input');
}
