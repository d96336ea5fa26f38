import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
} from '@temporalio/client';
import { ERRORS, type ErrorCode } from '../../grid/errors.ts';

/** Why a workflow did not complete. */
export interface WorkflowFailure {
  readonly status: 'failed' | 'cancelled' | 'terminated' | 'timed out';
  /** An error code of ours, or Temporal's word for it. */
  readonly code: string;
  /** One sentence or more, for people. */
  readonly message: string;
  /** What the failure carries beside: plain data. */
  readonly details: readonly unknown[];
}

/**
 * The true cause in the chain that Temporal wraps around a failure (workflow failed → activity failed → the error), as a
 * sentence. Undefined when `error` does not say how a workflow ended.
 */
export function workflowFailure(error: unknown): WorkflowFailure | undefined {
  if (!(error instanceof WorkflowFailedError)) return undefined;
  const where: string[] = [];
  let at: unknown = error.cause;
  for (;;) {
    if (at instanceof ActivityFailure && at.cause !== undefined) {
      where.push(`activity ${at.activityType}`);
      at = at.cause;
    } else if (at instanceof ChildWorkflowFailure && at.cause !== undefined) {
      where.push(`workflow ${at.workflowType}`);
      at = at.cause;
    } else break;
  }
  const place = where.length === 0 ? '' : ` (in ${where.join(', ')})`;
  if (at instanceof ApplicationFailure) {
    const code = at.type ?? 'defect';
    return {
      status: 'failed',
      code,
      // Ours are whole sentences; another one needs to be placed.
      message: isErrorCode(code) ? at.message : `${at.message}${place}`,
      details: at.details ?? [],
    };
  }
  if (at instanceof CancelledFailure) {
    return { status: 'cancelled', code: 'cancelled', message: `It was cancelled${place}.`, details: at.details };
  }
  if (at instanceof TerminatedFailure) {
    const reason = at.message === '' ? '' : `: ${at.message}`;
    return { status: 'terminated', code: 'terminated', message: `It was terminated${reason}.`, details: [] };
  }
  if (at instanceof TimeoutFailure) {
    const last = at.cause instanceof Error ? ` Before that: ${at.cause.message}` : '';
    return {
      status: where.length === 0 ? 'timed out' : 'failed',
      code: 'timed-out',
      message: `${timeoutText(at.timeoutType)}${place}.${last}`,
      details: [],
    };
  }
  const text = at instanceof Error ? at.message : error.message;
  return { status: 'failed', code: 'defect', message: `${text}${place}`, details: [] };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function timeoutText(type: TimeoutFailure['timeoutType']): string {
  switch (type) {
    case 'HEARTBEAT':
      return 'No sign of life came from the worker for too long';
    case 'SCHEDULE_TO_START':
      return 'No worker took it on in time';
    case 'SCHEDULE_TO_CLOSE':
      return 'It was tried until its time was up';
    case 'START_TO_CLOSE':
    case undefined:
      return 'It took longer than it may';
  }
}
