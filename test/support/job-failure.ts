import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

export interface JobFailure {
  readonly code: string;
  readonly message: string;
}

/** Code and message that a job fails with: those of its first cause that has any. */
export async function failureOf(end: Promise<unknown>): Promise<JobFailure> {
  try {
    await end;
  } catch (error) {
    let cause: unknown = error instanceof WorkflowFailedError ? error.cause : error;
    while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause !== undefined) {
      cause = cause.cause;
    }
    if (cause instanceof ApplicationFailure) return { code: cause.type ?? '', message: cause.message };
    throw error;
  }
  throw new Error('it did not fail');
}
