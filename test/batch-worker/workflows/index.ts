/** Workflows that do nothing but fail, go on, and end, as the tests want it; two have the names of real ones, for the command line. */
import {
  ApplicationFailure,
  defineQuery,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ImportProgress, ImportSummary } from '../../../workflows/import/contract.ts';
import type { RetrySummary } from '../../../workflows/retry/contract.ts';
import type { StepsInput, TestActivities } from '../activities.ts';

const { fail } = proxyActivities<TestActivities>({
  startToCloseTimeout: '2 minutes',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1, maximumAttempts: 3 },
});
const { takeSteps, untilCancelled } = proxyActivities<TestActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '3 seconds',
  retry: { initialInterval: '100 ms', backoffCoefficient: 1 },
});

/** Runs an activity that fails with an error of ours. */
export async function failing(input: { readonly code: string }): Promise<number> {
  return fail(input.code);
}

/** Takes steps, one after the other, in an activity that resumes from its heartbeat. */
export async function steps(input: StepsInput): Promise<number> {
  return takeSteps(input);
}

/** Runs an activity that goes on until it is cancelled. */
export async function endless(): Promise<string> {
  return untilCancelled();
}

const summary: ImportSummary = {
  runId: '2026-03-01-0123456789ab',
  source: 'postgres',
  product: 'PostgreSQL 18.1',
  database: 'history',
  businessDate: '2026-03-01',
  mode: 'full',
  consistency: 'database',
  notes: [],
  tables: [],
  tablesLeftOut: 0,
  skipped: [{ table: { schema: 'public', name: 'secrets' }, reason: 'no right to read it' }],
  parked: [
    {
      table: { schema: 'public', name: 'readings' },
      code: 'source-unavailable',
      reason: 'It hung up.',
      splits: [3, 4],
    },
  ],
  publishedTables: 2,
  unchangedTables: 1,
  skippedTables: 1,
  parkedTables: 1,
  rows: 1_234_567,
  textBytes: 86_000_000,
  fileBytes: 12_000_000,
  splits: 12,
  durationMs: 61_000,
};
const progress: ImportProgress = {
  runId: summary.runId,
  phase: 'copying',
  startedAt: '2026-03-01T02:00:00.000Z',
  tables: [],
  tablesLeftOut: 0,
  total: {
    tables: 4,
    tablesDone: 1,
    tablesParked: 1,
    splits: 12,
    splitsDone: 6,
    estimatedRows: 2_000_000,
    rows: 1_000_000,
    textBytes: 43_000_000,
    bytesPerSecond: 2_000_000,
    etaSeconds: 21,
  },
};

/** Looks like an import, and ends as it is told to. */
export async function importSqlHistory(input: { readonly end?: string; readonly seconds?: number }): Promise<unknown> {
  setHandler(defineQuery('progress'), () => progress);
  await sleep((input.seconds ?? 0) * 1_000 + 1);
  if (input.end === 'parked') {
    throw ApplicationFailure.nonRetryable('2 splits of 1 table were left undone.', 'splits-parked', summary);
  }
  return { ...summary, input };
}

/** Looks like a retry of which one run failed again. */
export function retryFailedBackfills(input: {
  readonly workflowType?: string;
  readonly dryRun?: boolean;
}): Promise<RetrySummary> {
  return Promise.resolve({
    since: '2026-03-01T00:00:00.000Z',
    workflowType: input.workflowType ?? 'importSqlHistory',
    dryRun: input.dryRun === true,
    runs: [
      {
        workflowId: 'nightly-1',
        workflowRunId: 'r',
        state: 'failed',
        reason: 'It hung up.',
        outcome: 'failed',
        message: 'It hung up again.',
      },
    ],
    succeeded: 0,
    failed: input.dryRun === true ? 0 : 1,
    signalled: 0,
    leftOut: 0,
  });
}

/** Gives what a schedule has started it with. */
export function scheduled(input: unknown): Promise<{ scheduledFor: unknown; input: unknown; memo: unknown }> {
  const { typedSearchAttributes, memo } = workflowInfo();
  const attribute = typedSearchAttributes.getAll().find(({ key }) => key.name === 'TemporalScheduledStartTime');
  return Promise.resolve({ scheduledFor: attribute?.value, input, memo });
}
