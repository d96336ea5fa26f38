import type { Followed } from './follow.ts';
import { jobOf } from '../../workflows/registry.ts';
import { resultLines } from './told-lines.ts';

/** What a command leaves behind: lines for people, one line of JSON for programs, and the process's exit code. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** Standard error. */
  readonly report: readonly string[];
  /** Last line of standard output; absent where the command's own text is its answer. */
  readonly result?: unknown;
}

/** Exit codes of the command line. */
export const EXIT = { done: 0, failed: 1, usage: 2, left: 130 } as const;

/** How a followed workflow ended, told. */
export function outcomeOf(followed: Followed, workflowType: string, workflowId: string): CommandOutcome {
  if (followed === 'left') {
    return {
      exitCode: EXIT.left,
      report: [`${workflowId} goes on by itself. Follow it again: npm run job -- follow ${workflowId}`],
      result: { status: 'running', workflowId },
    };
  }
  if (followed.completed) {
    const isFailure = jobOf(workflowType)?.isFailure(followed.result) ?? false;
    return {
      exitCode: isFailure ? EXIT.failed : EXIT.done,
      report: [`${workflowType} ${workflowId} completed.`, ...resultLines(workflowType, followed.result)],
      result: followed.result ?? null,
    };
  }
  const { failure } = followed;
  const [details] = failure.details;
  const told = resultLines(workflowType, details);
  // Where there is a table of what was left undone, the message need not list it as well.
  const message = told.length === 0 ? failure.message : (failure.message.split('\n')[0] ?? '');
  const { status } = failure;
  const ended = status === 'failed' || status === 'timed out' ? status : `was ${status}`;
  return {
    exitCode: EXIT.failed,
    report: [`${workflowType} ${workflowId} ${ended}: ${message}`, ...told],
    result: {
      status,
      code: failure.code,
      message: failure.message,
      workflowId,
      ...(details === undefined ? {} : { details }),
    },
  };
}
