import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { ERRORS } from '../../grid/errors.ts';

/** Why something failed, below what Temporal wraps around it. */
export interface FailureReason {
  /** An error code of ours, as far as the failure has one. */
  readonly code: string;
  readonly message: string;
  /** The split that it concerns. */
  readonly split?: number;
}

/** Long enough for every message of ours, short enough for thousands in one payload. */
const LONGEST_MESSAGE = 600;

export function failureReason(failure: unknown): FailureReason {
  let cause = failure;
  while ((cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) && cause.cause !== undefined) {
    cause = cause.cause;
  }
  if (cause instanceof ApplicationFailure) {
    const split = splitOf(cause.details?.[0]);
    return {
      code: cause.type ?? 'defect',
      message: shortened(cause.message),
      ...(split === undefined ? {} : { split }),
    };
  }
  if (cause instanceof TimeoutFailure) return { code: 'worker-failed', message: timeoutMessage(cause) };
  if (cause instanceof TerminatedFailure) return { code: 'worker-failed', message: 'It was terminated.' };
  if (cause instanceof CancelledFailure) return { code: 'worker-failed', message: 'It was cancelled.' };
  return { code: 'defect', message: shortened(cause instanceof Error ? cause.message : String(cause)) };
}

/** Whether it is the fault of a server that may be well again later, so that others will fail of it too. */
export function isOutage(code: string): boolean {
  if (code === 'worker-failed') return true;
  const known = Object.entries(ERRORS).find(([name]) => name === code)?.[1];
  return known !== undefined && known.retryable && known.fault === 'store' && known.disposition === 'retry';
}

function timeoutMessage(timeout: TimeoutFailure): string {
  const last = timeout.cause instanceof Error ? ` Before that: ${timeout.cause.message}` : '';
  const what =
    timeout.timeoutType === 'HEARTBEAT'
      ? 'The worker fell silent again and again (killed, out of memory, or cut off).'
      : 'It took longer than it may.';
  return shortened(`${what}${last} See the log of the batch worker.`);
}

function splitOf(details: unknown): number | undefined {
  if (typeof details !== 'object' || details === null || !('split' in details)) return undefined;
  return typeof details.split === 'number' && Number.isInteger(details.split) ? details.split : undefined;
}

function shortened(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 1)}…`;
}
