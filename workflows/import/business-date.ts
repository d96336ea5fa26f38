import type { WorkflowInfo } from '@temporalio/workflow';
import { dayIn } from '../../grid/day.ts';
import type { ImportInput } from './input.ts';
import { BUSINESS_TIME_ZONE } from './contract.ts';

/**
 * The day that a run stands for, YYYY-MM-DD: what was asked for; for a run that takes up another, that one's; the day that it was
 * scheduled for, so that a late or back-filled run has its own; else the day on which it was started. The days are those of
 * the schedule's zone, else UTC's.
 */
export function businessDate(
  input: Pick<ImportInput, 'businessDate' | 'resume'>,
  info: Pick<WorkflowInfo, 'typedSearchAttributes' | 'memo' | 'startTime'>,
): string {
  if (input.resume !== undefined) return input.resume.slice(0, 10);
  if (input.businessDate !== undefined) return input.businessDate;
  const scheduled = info.typedSearchAttributes.getAll().find(({ key }) => key.name === 'TemporalScheduledStartTime');
  const moment = scheduled?.value instanceof Date ? scheduled.value : info.startTime;
  const zone = info.memo?.[BUSINESS_TIME_ZONE];
  return dayIn(moment, typeof zone === 'string' ? zone : 'UTC');
}
