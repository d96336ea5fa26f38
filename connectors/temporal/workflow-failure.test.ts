import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowFailedError,
} from '@temporalio/client';
import { expect, test } from 'vitest';
import { workflowFailure } from './workflow-failure.ts';

const ended = (cause: Error): WorkflowFailedError =>
  new WorkflowFailedError('Workflow execution failed', cause, 'IN_PROGRESS');
const inActivity = (cause: Error): ActivityFailure =>
  new ActivityFailure('Activity task failed', 'planTable', '1', 'NON_RETRYABLE_FAILURE', 'me', cause);
const inChild = (cause: Error): ChildWorkflowFailure =>
  new ChildWorkflowFailure('default', { workflowId: 'x', runId: 'y' }, 'copyTables', 'NON_RETRYABLE_FAILURE', cause);

test('the error of ours below all that Temporal wraps around it is what is told', () => {
  const error = ApplicationFailure.nonRetryable('Connecting: wrong password.', 'source-denied', { split: 1 });
  expect(workflowFailure(ended(inChild(inActivity(error))))).toEqual({
    status: 'failed',
    code: 'source-denied',
    message: 'Connecting: wrong password.',
    details: [{ split: 1 }],
  });
});

test.each([
  [ended(inActivity(new Error('boom'))), 'failed', 'defect', 'boom (in activity planTable)'],
  [ended(ApplicationFailure.create({ message: 'odd', type: 'TypeError' })), 'failed', 'TypeError', 'odd'],
  [ended(new CancelledFailure('x')), 'cancelled', 'cancelled', 'It was cancelled.'],
  [ended(new TerminatedFailure('by hand')), 'terminated', 'terminated', 'It was terminated: by hand.'],
  [
    ended(inActivity(new TimeoutFailure('x', undefined, 'HEARTBEAT'))),
    'failed',
    'timed-out',
    'No sign of life came from the worker for too long (in activity planTable).',
  ],
  [
    ended(new TimeoutFailure('x', undefined, 'START_TO_CLOSE')),
    'timed out',
    'timed-out',
    'It took longer than it may.',
  ],
])('%s is told as %s', (error, status, code, message) => {
  expect(workflowFailure(error)).toMatchObject({ status, code, message });
});

test('what does not say how a workflow ended is no failure of it', () => {
  expect(workflowFailure(new Error('14 UNAVAILABLE'))).toBeUndefined();
});
