import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { JobContract } from '../../workflows/job/job-contract.ts';
import { JOBS } from '../../workflows/registry.ts';
import type { Activities } from './job-activities.ts';
import { workerQueues } from './queues.ts';

const config = { TEMPORAL_TASK_QUEUE: 'batch', HISTORY_MAX_CONNECTIONS: 7 };
const activity = (): Promise<void> => Promise.resolve();

const job = (workflowType: string, activities: JobContract['activities']): { readonly contract: JobContract } => ({
  contract: {
    ...{ workflowType, summary: '', input: z.unknown(), example: {}, progress: z.unknown(), result: z.unknown() },
    activities,
  },
});
const queues = (
  jobs: readonly { readonly contract: JobContract }[],
  activities: Readonly<Record<string, Activities>>,
) => workerQueues(jobs, new Map(Object.entries(activities)), config, 'bundle.js');

describe('the queues of a batch worker', () => {
  it('have the activities that contracts put there, and workflows run on the first', () => {
    const count = job('countWords', { readFile: 'source', sum: 'jobs' });
    expect(queues([count], { countWords: { readFile: activity, sum: activity } })).toEqual([
      { taskQueue: 'batch', activities: { sum: activity }, activitySlots: 50, workflowBundle: 'bundle.js' },
      { taskQueue: 'batch-source', activities: { readFile: activity }, activitySlots: 7 },
    ]);
  });

  it('are refused where contracts and activities differ', () => {
    const count = job('countWords', { sum: 'jobs' });
    expect(() => queues([count], {})).toThrow('nothing does the activity sum of countWords');
    expect(() => queues([count], { countWords: { sum: activity, add: activity } })).toThrow('has no activity add');
    const other = job('addWords', { sum: 'jobs' });
    expect(() => queues([count, other], { countWords: { sum: activity }, addWords: { sum: activity } })).toThrow(
      'two jobs have an activity sum',
    );
  });

  it('keep the names that runs under way count on', () => {
    const places = JOBS.flatMap(({ contract }) =>
      Object.entries(contract.activities).map(([name, queue]) => `${contract.workflowType} ${name} ${queue}`),
    );
    expect(places).toEqual(
      expect.arrayContaining([
        'importSqlHistory openImport jobs',
        'importSqlHistory holdSnapshot jobs',
        'importSqlHistory planTable source',
        'importSqlHistory bringSplits source',
        'importSqlHistory publishTable jobs',
        'importSqlHistory discardWork jobs',
        'retryFailedBackfills findFailedRuns jobs',
      ]),
    );
  });
});
