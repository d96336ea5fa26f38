import type { TemporalClient } from '../../connectors/temporal/client.ts';

export interface Span {
  /** Epoch milliseconds, by Temporal's clock. */
  readonly startedMs: number;
  readonly endedMs: number;
}

type Timestamp = { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined;

const epochMs = (time: Timestamp): number => Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;

/**
 * From the first start of an activity of this type to the last completion, in a workflow and the workflows that it started, as
 * their histories tell.
 *
 * @throws Error when there was none
 */
export async function spanOfActivity(temporal: TemporalClient, workflowId: string, type: string): Promise<Span> {
  const startsMs: number[] = [];
  const endsMs: number[] = [];
  const unread = [workflowId];
  for (let id = unread.pop(); id !== undefined; id = unread.pop()) {
    const { events } = await temporal.sdk.workflow.getHandle(id).fetchHistory();
    const scheduled = new Set<string>();
    for (const event of events ?? []) {
      const activity = event.activityTaskScheduledEventAttributes;
      if (activity?.activityType?.name === type) scheduled.add(String(event.eventId));
      const started = event.activityTaskStartedEventAttributes;
      if (scheduled.has(String(started?.scheduledEventId))) startsMs.push(epochMs(event.eventTime));
      const completed = event.activityTaskCompletedEventAttributes;
      if (scheduled.has(String(completed?.scheduledEventId))) endsMs.push(epochMs(event.eventTime));
      const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
      if (typeof child === 'string') unread.push(child);
    }
  }
  if (startsMs.length === 0 || endsMs.length === 0) throw new Error(`${workflowId} ran no activity ${type}`);
  return { startedMs: Math.min(...startsMs), endedMs: Math.max(...endsMs) };
}
