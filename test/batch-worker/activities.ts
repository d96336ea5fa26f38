import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { GridError, ERRORS, type ErrorCode } from '../../grid/errors.ts';

export interface StepsInput {
  readonly count: number;
  readonly stepMs: number;
  /** Each step taken is a line of this file: `<attempt> <step>`. */
  readonly file: string;
}

/** Activities that do nothing but fail, go on, and end, as the tests want it. */
export const testActivities = {
  /** Fails with the error of that code, once more than it may be tried; gives its attempt otherwise. */
  fail(code: string): Promise<number> {
    const { attempt } = Context.current().info;
    if (attempt === 3) return Promise.resolve(attempt);
    if (!isErrorCode(code)) return Promise.reject(new TypeError(`no such code: ${code}`));
    const cause = new Error('the socket hung up');
    return Promise.reject(new GridError(code, `Trying ${code}: attempt ${attempt}.`, { cause, details: { split: 7 } }));
  },

  async takeSteps({ count, stepMs, file }: StepsInput): Promise<number> {
    const context = Context.current();
    const done: unknown = context.info.heartbeatDetails;
    const first = typeof done === 'number' ? done : 0;
    for (let step = first; step < count; step++) {
      await sleep(stepMs, undefined, { signal: context.cancellationSignal });
      appendFileSync(file, `${context.info.attempt} ${step}\n`);
      context.heartbeat(step + 1);
    }
    return first;
  },

  async untilCancelled(): Promise<string> {
    const context = Context.current();
    const beat = setInterval(() => {
      context.heartbeat();
    }, 200);
    try {
      await context.cancelled;
    } finally {
      clearInterval(beat);
    }
    return 'never';
  },
};
export type TestActivities = typeof testActivities;

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
