import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { failureReason, isOutage } from './failure-reason.ts';
import { OutageWatch } from '../import/outage-watch.ts';

function ofActivity(cause: Error): ActivityFailure {
  return new ActivityFailure('Activity task failed', 'bringSplits', '1', 'MAXIMUM_ATTEMPTS_REACHED', 'worker', cause);
}

describe('the reason of a failure', () => {
  it('is the error code, the message and the split that the activity told', () => {
    const cause = ApplicationFailure.create({
      type: 'row-too-large',
      message: 'a row of 3 GB',
      details: [{ split: 7 }],
    });
    expect(failureReason(ofActivity(cause))).toEqual({ code: 'row-too-large', message: 'a row of 3 GB', split: 7 });
  });

  it('is the worker when it fell silent, with what it had said before', () => {
    const last = ApplicationFailure.create({ type: 'hdfs-timeout', message: 'no answer' });
    const reason = failureReason(
      ofActivity(Object.assign(new TimeoutFailure('timed out', undefined, 'HEARTBEAT'), { cause: last })),
    );
    expect(reason.code).toBe('worker-failed');
    expect(reason.message).toContain('fell silent');
    expect(reason.message).toContain('no answer');
  });

  it('does not take what is no split number for one', () => {
    for (const details of [[], [null], ['7'], [{ split: '7' }], [{ split: 1.5 }]]) {
      const cause = ApplicationFailure.create({ type: 'defect', message: 'x', details });
      expect(failureReason(ofActivity(cause)).split).toBeUndefined();
    }
  });

  it('never is too long to be told of thousands of tables', () => {
    expect(failureReason(new Error('x'.repeat(1e6))).message.length).toBe(600);
  });
});

describe('an outage', () => {
  it('is what a server is to blame for that may come back', () => {
    expect(['hdfs-unavailable', 'source-unavailable', 'hive-timeout', 'worker-failed'].every(isOutage)).toBe(true);
    expect(['table-changed', 'unsupported-column', 'row-too-large', 'defect', 'nonsense'].some(isOutage)).toBe(false);
  });

  it('is only there when nothing succeeds in between', () => {
    const watch = new OutageWatch();
    const down = { code: 'hdfs-unavailable', message: '' };
    const told = Array.from({ length: 20 }, (_, at) => {
      if (at % 5 === 4) watch.succeeded();
      return watch.failed(down);
    });
    expect(told).not.toContain(true);
    expect(Array.from({ length: 6 }, () => watch.failed(down)).at(-1)).toBe(true);
    expect(watch.failed({ code: 'table-changed', message: '' })).toBe(false);
  });
});
