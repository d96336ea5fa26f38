import { CompleteAsyncError, type Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { asGridError, GridError } from '../../grid/errors.ts';

/**
 * The one place where errors of activities become failures of Temporal: type = error code, retryable as the code says,
 * `details` = `[error.details]`.
 */
export const failuresByCode: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw activityFailure(error, context);
      }
    },
  },
});

/**
 * What Temporal is told of an activity's error. Cancellations and failures that are Temporal's own already pass untouched; what a
 * server answered because the activity, being cancelled, broke off its call, is the cancellation.
 */
export function activityFailure(
  error: unknown,
  context: Pick<Context, 'cancellationSignal'> & { readonly info: Pick<Context['info'], 'activityType'> },
): unknown {
  if (error instanceof TemporalFailure || error instanceof CompleteAsyncError) return error;
  if (isAbortError(error) && context.cancellationSignal.aborted) return error;
  const known = asGridError(error, `Running the activity ${context.info.activityType}`);
  if (context.cancellationSignal.aborted && (known.retryable || comesFromCancellation(known))) {
    return new CancelledFailure(known.message, [], known);
  }
  return applicationFailure(known);
}

/** An error of ours as the failure that carries all its decisions. */
export function applicationFailure(error: GridError): ApplicationFailure {
  const { details } = error;
  const retryAfterMs = details?.['retryAfterMs'];
  const failure = ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !error.retryable,
    details: details === undefined ? [] : [details],
    ...(typeof retryAfterMs === 'number' && retryAfterMs > 0 ? { nextRetryDelay: retryAfterMs } : {}),
    ...(error.cause instanceof Error
      ? { cause: error.cause instanceof GridError ? applicationFailure(error.cause) : error.cause }
      : {}),
  });
  if (error.stack !== undefined) failure.stack = error.stack;
  return failure;
}

function comesFromCancellation(error: Error): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof CancelledFailure || isAbortError(at)) return true;
  }
  return false;
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
