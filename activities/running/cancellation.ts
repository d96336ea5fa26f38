import { GridError } from '../../grid/errors.ts';

/**
 * What an activity ends with after its cancellation: Temporal's own failure when the workflow, a time-out or an operator
 * cancelled it; `shutting-down`, to be taken up by another worker, when this one stops. Undefined: it was not cancelled.
 */
export function endOfCancelled(signal: AbortSignal): unknown {
  if (!signal.aborted) return undefined;
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.message === 'WORKER_SHUTDOWN') {
    return new GridError(
      'shutting-down',
      'Running an activity: the worker stops. Another one, or the same started again, takes it up.',
      { cause: reason },
    );
  }
  return reason;
}
