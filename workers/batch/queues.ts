import type { QueueOptions } from '../../connectors/temporal/workers.ts';
import type { Config } from '../../runtime/config.ts';
import type { Job } from '../../workflows/job/job-contract.ts';
import { TASK_QUEUES, taskQueue, type QueueName } from '../../workflows/job/task-queues.ts';
import type { Activities } from './job-activities.ts';

/**
 * The task queues of a worker that does all of `jobs`: on each the activities that contracts put there, with as many slots as it has.
 *
 * @param activities of each job, by workflow type
 * @param workflowBundle of the workflows, which run on the queue `jobs`
 * @throws RangeError when contracts and activities do not match
 */
export function workerQueues(
  jobs: readonly Pick<Job, 'contract'>[],
  activities: ReadonlyMap<string, Activities>,
  config: Pick<Config, 'TEMPORAL_TASK_QUEUE' | 'HISTORY_MAX_CONNECTIONS'>,
  workflowBundle: string,
): readonly QueueOptions[] {
  const names = Object.keys(TASK_QUEUES) as QueueName[];
  return names.map((queue) => {
    const { slots } = TASK_QUEUES[queue];
    return {
      taskQueue: taskQueue(config.TEMPORAL_TASK_QUEUE, queue),
      activities: activitiesOn(queue, jobs, activities),
      activitySlots: typeof slots === 'number' ? slots : config[slots],
      ...(queue === 'jobs' ? { workflowBundle } : {}),
    };
  });
}

function activitiesOn(
  queue: QueueName,
  jobs: readonly Pick<Job, 'contract'>[],
  activities: ReadonlyMap<string, Activities>,
): Activities {
  const found = new Map<string, Activities[string]>();
  for (const { contract } of jobs) {
    const own = activities.get(contract.workflowType) ?? {};
    const unknown = Object.keys(own).find((name) => !Object.hasOwn(contract.activities, name));
    if (unknown !== undefined) throw new RangeError(`${contract.workflowType} has no activity ${unknown}`);
    for (const [name, where] of Object.entries(contract.activities)) {
      const activity = Object.hasOwn(own, name) ? own[name] : undefined;
      if (activity === undefined) throw new RangeError(`nothing does the activity ${name} of ${contract.workflowType}`);
      if (where !== queue) continue;
      if (found.has(name)) throw new RangeError(`two jobs have an activity ${name}`);
      found.set(name, activity);
    }
  }
  return Object.fromEntries(found);
}
