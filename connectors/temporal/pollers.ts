import proto from '@temporalio/proto';
import type { TemporalClient } from './client.ts';

/** A worker asks again at least every minute; who has not asked for longer is gone. */
const SILENT_MS = 70_000;
/** Whether some worker takes workflows from a task queue; of one that was killed, Temporal learns only after a minute. */
export function isPolled(temporal: TemporalClient, taskQueue: string, signal?: AbortSignal): Promise<boolean> {
  return temporal.call(
    `Looking for workers of task queue ${taskQueue}`,
    async (client) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: temporal.namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
      });
      return pollers.some(
        ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > Date.now() - SILENT_MS,
      );
    },
    signal === undefined ? {} : { signal },
  );
}
