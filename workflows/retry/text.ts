import { countText, plural } from '../../grid/figures.ts';
import type { JobText, ToldTable } from '../job/told.ts';
import type { RetriedRun, RetryProgress, RetrySummary } from './contract.ts';

/** How a retry of failed runs is told. */
export const retryText = {
  progress({ runs, pending }) {
    if (runs.length === 0) return { headline: 'No failed runs.' };
    const left = new Set(pending);
    return {
      headline: `${countText(runs.length - left.size)} of ${plural(runs.length, 'run')} done`,
      tables: [runsTable(runs, left)],
    };
  },
  result({ runs, succeeded, signalled, failed, leftOut, dryRun }) {
    const found = plural(runs.length, 'failed or waiting run');
    return {
      headline: dryRun
        ? `${found}; nothing was done, as asked for.`
        : `${found}: ${countText(succeeded)} made good, ${countText(signalled)} told to go on, ${countText(failed)} failed again.`,
      sentences: leftOut === 0 ? [] : [`${plural(leftOut, 'more run')} were left for another retry: start it again.`],
      tables: [runsTable(runs, new Set())],
    };
  },
  isFailure: ({ failed }) => failed > 0,
} satisfies JobText<RetryProgress, RetrySummary>;

function runsTable(runs: readonly RetriedRun[], pending: ReadonlySet<number>): ToldTable {
  return {
    columns: [{ heading: 'run' }, { heading: 'outcome' }, { heading: 'why' }],
    rows: runs.map(({ workflowId, outcome, reason, message }, index) => [
      workflowId,
      pending.has(index) ? 'to be retried' : outcome,
      message ?? reason,
    ]),
  };
}
