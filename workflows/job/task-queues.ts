/**
 * The task queues of the batch worker: what each is called after `TEMPORAL_TASK_QUEUE`, and how many activities run on it at once, a number
 * or the variable that says so.
 */
export const TASK_QUEUES = {
  /** All workflows, and activities that mostly wait: keepers of snapshots, publishing, finding failed runs. */
  jobs: { suffix: '', slots: 50 },
  /** Activities that hold a connection to a history database: as many as there may be connections. */
  source: { suffix: '-source', slots: 'HISTORY_MAX_CONNECTIONS' },
} as const satisfies Readonly<Record<string, { readonly suffix: string; readonly slots: number | string }>>;

export type QueueName = keyof typeof TASK_QUEUES;

/** @param base the configured task queue, on which the workflows run */
export function taskQueue(base: string, queue: QueueName): string {
  return `${base}${TASK_QUEUES[queue].suffix}`;
}
