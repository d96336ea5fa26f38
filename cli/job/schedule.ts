import type { TemporalClient } from '../../connectors/temporal/client.ts';
import {
  applyConfigured,
  configuredSchedule,
  scheduleWarnings,
  type ConfiguredSchedule,
} from '../../connectors/temporal/configured-schedule.ts';
import {
  backfillSchedule,
  describeSchedule,
  pauseSchedule,
  triggerSchedule,
  unpauseSchedule,
  type ScheduleDescription,
} from '../../connectors/temporal/schedule.ts';
import { dayIn } from '../../grid/day.ts';
import { GridError } from '../../grid/errors.ts';
import { durationText } from '../../grid/figures.ts';
import type { Config } from '../../runtime/config.ts';
import { JOBS } from '../../workflows/registry.ts';
import { EXIT, type CommandOutcome } from './outcome.ts';

const MAKE_IT = 'Make it: npm run job -- schedule apply (a batch worker does when it starts)';
const MINUTE_MS = 60_000;

/**
 * The schedule of a job, as it is configured.
 *
 * @throws GridError `invalid-input` when the job has none; `invalid-configuration`
 */
export function scheduleOf(workflowType: string, config: Config): ConfiguredSchedule {
  const scheduled = JOBS.flatMap(({ contract: { schedule, ...job } }) =>
    schedule === undefined ? [] : [{ ...job, schedule }],
  );
  const job = scheduled.find((one) => one.workflowType === workflowType);
  if (job !== undefined) return configuredSchedule(job, config);
  throw new GridError(
    'invalid-input',
    `Looking for the schedule of ${workflowType}: it has none. There is one of ${scheduled.map((one) => one.workflowType).join(', ')}.`,
  );
}

/** Shows what Temporal has of a schedule. */
export async function showSchedule(temporal: TemporalClient, id: string): Promise<CommandOutcome> {
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
  const cron = writtenTimes(spec);
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

/** How the times were written; empty when somebody has changed them by hand. */
function writtenTimes({ calendars, intervals }: ScheduleDescription['spec']): string {
  const [interval] = intervals ?? [];
  if (interval !== undefined) return `every ${durationText(interval.every)}`;
  return calendars?.[0]?.comment ?? '';
}

/** Brings a schedule to what is configured, as a starting batch worker does. */
export async function apply(
  temporal: TemporalClient,
  schedule: ConfiguredSchedule,
  takeOver: boolean,
): Promise<CommandOutcome> {
  const change = await applyConfigured(temporal, schedule, { takeOver });
  const { outcome } = change;
  const warnings = scheduleWarnings(schedule, change);
  const shown = await showSchedule(temporal, schedule.id);
  return {
    ...shown,
    exitCode: outcome === 'left alone' ? EXIT.failed : EXIT.done,
    report: [`The schedule was ${outcome === 'unchanged' ? 'as configured' : outcome}.`, ...warnings, ...shown.report],
  };
}

/** Starts a run now. */
export async function trigger(temporal: TemporalClient, id: string): Promise<CommandOutcome> {
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
export async function backfill(
  temporal: TemporalClient,
  id: string,
  from: string,
  to: string,
): Promise<CommandOutcome> {
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

export async function pause(temporal: TemporalClient, id: string, isPaused: boolean): Promise<CommandOutcome> {
  await (isPaused
    ? pauseSchedule(temporal, id, 'paused from the command line')
    : unpauseSchedule(temporal, id, 'resumed from the command line'));
  return showSchedule(temporal, id);
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
    throw new GridError('invalid-input', `Backfilling a schedule: ${day} is no day such as 2026-03-01.`);
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
