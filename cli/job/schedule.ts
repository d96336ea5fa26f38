import type { TemporalClient } from '../../connectors/temporal/client.ts';
import {
  backfillSchedule,
  describeSchedule,
  pauseSchedule,
  triggerSchedule,
  unpauseSchedule,
} from '../../connectors/temporal/schedule.ts';
import { GridError } from '../../grid/errors.ts';
import type { Config } from '../../runtime/config.ts';
import { dayIn } from '../../workflows/import/business-date.ts';
import { applyNightly, NIGHTLY_SCHEDULE_ID, nightlySchedule } from '../../connectors/temporal/configured-schedule.ts';
import { EXIT, type CommandOutcome } from './outcome.ts';

const id = NIGHTLY_SCHEDULE_ID;
const MAKE_IT = 'Make it: npm run job -- schedule apply (a batch worker does when it starts)';
const MINUTE_MS = 60_000;

/** Shows what Temporal has of the nightly schedule. */
export async function showSchedule(temporal: TemporalClient): Promise<CommandOutcome> {
  const present = await describeSchedule(temporal, id);
  if (present === undefined) {
    return {
      exitCode: EXIT.done,
      report: [`There is no schedule ${id}. ${MAKE_IT}`],
      result: { scheduleId: id, state: 'absent' },
    };
  }
  const { info, state, spec, action } = present;
  const input: unknown = action.args?.[0] ?? {};
  const cron = spec.calendars?.[0]?.comment ?? '';
  const next = info.nextActionTimes.slice(0, 3).map((time) => time.toISOString());
  const recent = info.recentActions.slice(-3).map(({ scheduledAt, action: { workflow } }) => ({
    scheduledAt: scheduledAt.toISOString(),
    workflowId: workflow.workflowId,
  }));
  return {
    exitCode: EXIT.done,
    report: [
      `${id}: ${state.paused ? `paused${state.note === undefined || state.note === '' ? '' : ` (${state.note})`}` : 'on'}, ${cron === '' ? 'times changed by hand' : cron} in ${spec.timezone ?? 'UTC'}`,
      `starts ${action.workflowType} ${JSON.stringify(input)} on task queue ${action.taskQueue}`,
      ...(next.length === 0 ? [] : [`next: ${next.join(', ')}`]),
      ...recent.map(({ scheduledAt, workflowId }) => `ran for ${scheduledAt}: ${workflowId}`),
    ],
    result: {
      scheduleId: id,
      state: state.paused ? 'paused' : 'on',
      cron,
      timeZone: spec.timezone ?? 'UTC',
      input,
      next,
      recent,
    },
  };
}

/** Brings the schedule to what is configured, as a starting batch worker does. */
export async function applyConfigured(temporal: TemporalClient, config: Config): Promise<CommandOutcome> {
  const change = await applyNightly(temporal, nightlySchedule(config));
  const shown = await showSchedule(temporal);
  return {
    ...shown,
    report: [`The schedule was ${change === 'unchanged' ? 'as configured' : change}.`, ...shown.report],
  };
}

/** Starts the nightly import now. */
export async function trigger(temporal: TemporalClient): Promise<CommandOutcome> {
  await triggerSchedule(temporal, id);
  return {
    exitCode: EXIT.done,
    report: ['Triggered; see npm run job -- list'],
    result: { scheduleId: id, triggered: true },
  };
}

/**
 * Starts the runs of past days, one after the other, each for its own day.
 *
 * @param from first day of the schedule's zone, YYYY-MM-DD
 * @param to last day likewise
 */
export async function backfill(temporal: TemporalClient, from: string, to: string): Promise<CommandOutcome> {
  const present = await describeSchedule(temporal, id);
  if (present === undefined) {
    throw new GridError('temporal-refused', `Backfilling ${id}: there is no such schedule. ${MAKE_IT}`);
  }
  const zone = present.spec.timezone ?? 'UTC';
  const start = startOfDay(from, zone);
  const end = new Date(startOfDay(dayAfter(to), zone).getTime() - 1);
  if (end < start) throw new GridError('invalid-input', `Backfilling ${id}: ${to} is before ${from}.`);
  await backfillSchedule(temporal, id, { start, end });
  return {
    exitCode: EXIT.done,
    report: ['The runs start one after the other; see npm run job -- list'],
    result: { scheduleId: id, from: start.toISOString(), to: end.toISOString() },
  };
}

export async function pause(temporal: TemporalClient, isPaused: boolean): Promise<CommandOutcome> {
  await (isPaused
    ? pauseSchedule(temporal, id, 'paused from the command line')
    : unpauseSchedule(temporal, id, 'resumed from the command line'));
  return showSchedule(temporal);
}

/**
 * When a day begins in a zone, summer time or not.
 *
 * @param day YYYY-MM-DD
 * @throws GridError `invalid-input`
 */
export function startOfDay(day: string, zone: string): Date {
  const midnightMs = Date.parse(`${day}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(midnightMs)) {
    throw new GridError('invalid-input', `Backfilling ${id}: ${day} is no day such as 2026-03-01.`);
  }
  // No zone is farther from UTC; days only ever follow each other, so the first minute of this one can be halved out.
  let before = Math.floor(midnightMs / MINUTE_MS) - 16 * 60;
  let within = before + 32 * 60;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (dayIn(new Date(middle * MINUTE_MS), zone) < day) before = middle;
    else within = middle;
  }
  return new Date(within * MINUTE_MS);
}

function dayAfter(day: string): string {
  const nextMs = Date.parse(`${day}T00:00:00Z`) + 86_400_000;
  return Number.isNaN(nextMs) ? day : new Date(nextMs).toISOString().slice(0, 10);
}
