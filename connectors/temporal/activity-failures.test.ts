import { CompleteAsyncError } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import { activityFailure } from './activity-failures.ts';

const running = { cancellationSignal: new AbortController().signal, info: { activityType: 'bringSplits' } };
const cancelled = { ...running, cancellationSignal: AbortSignal.abort(new CancelledFailure('CANCELLED')) };

describe('an error of an activity', () => {
  it('is a failure with its code as the type, its details and its causes', () => {
    const cause = new GridError('hdfs-timeout', 'slow', { cause: new Error('socket hang up') });
    const error = new GridError('source-unavailable', 'Copying: gone.', { cause, details: { split: 3 } });
    expect(activityFailure(error, running)).toMatchObject({
      message: 'Copying: gone.',
      type: 'source-unavailable',
      nonRetryable: false,
      details: [{ split: 3 }],
      cause: { type: 'hdfs-timeout', message: 'slow', cause: { message: 'socket hang up' } },
    });
  });

  it('is final when its code is not worth a retry', () => {
    const failure = activityFailure(new GridError('source-denied', 'no'), running);
    expect(failure).toMatchObject({ nonRetryable: true, details: [] });
  });

  it('may say when it is to be tried again', () => {
    const error = new GridError('source-unavailable', 'busy', { details: { retryAfterMs: 2_500 } });
    expect(activityFailure(error, running)).toMatchObject({ nextRetryDelay: 2_500 });
  });

  it('that nobody foresaw is a defect, which is final', () => {
    expect(activityFailure(new TypeError('x is undefined'), running)).toMatchObject({
      type: 'defect',
      nonRetryable: true,
      message: expect.stringContaining('Running the activity bringSplits: unexpected x is undefined') as string,
    });
  });
});

describe('what passes untouched', () => {
  it.each([
    new CancelledFailure('cancelled'),
    ApplicationFailure.nonRetryable('no', 'own'),
    new CompleteAsyncError(),
    new DOMException('aborted', 'AbortError'),
  ])('%s', (error) => {
    expect(activityFailure(error, cancelled)).toBe(error);
  });
});

describe('of a cancelled activity', () => {
  it('what came of breaking off is the cancellation', () => {
    const broken = new GridError('source-unavailable', 'Copying: canceling statement due to user request.');
    const caused = new GridError('defect', 'Copying: aborted', { cause: new DOMException('aborted', 'AbortError') });
    const stopping = new GridError('shutting-down', 'the worker stops');
    for (const error of [broken, caused, stopping]) {
      expect(activityFailure(error, cancelled)).toBeInstanceOf(CancelledFailure);
    }
  });

  it('an error that is final for another reason stays one', () => {
    expect(activityFailure(new GridError('import-conflict', 'lost'), cancelled)).toMatchObject({
      type: 'import-conflict',
    });
  });

  it('an abort that is not its own cancellation is an error', () => {
    expect(activityFailure(new DOMException('time is up', 'AbortError'), running)).toMatchObject({ type: 'defect' });
  });
});
