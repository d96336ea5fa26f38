import { isDeepStrictEqual } from 'node:util';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Backfill,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';
import { GridError } from '../../grid/errors.ts';
import type { TemporalClient } from './client.ts';
import type { ScheduleTimes } from './cron.ts';

export type { ScheduleDescription };

/** A schedule as it is configured. It starts one workflow at each of its times. */
export interface ScheduleDefinition {
  readonly id: string;
  /** As it was written, see `cronMeaning`. */
  readonly cron: string;
  readonly times: ScheduleTimes;
  /** IANA name. */
  readonly timeZone: string;
  readonly workflowType: string;
  /** Temporal appends the scheduled time. */
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly memo: Readonly<Record<string, unknown>>;
  /** A run that was missed, since Temporal was down, is made up for within this time, milliseconds. */
  readonly catchupWindowMs: number;
  /** Whether it is to be paused. When not, one that somebody else has paused stays so. */
  readonly paused: boolean;
}

/** What applying a definition did. */
export type ScheduleChange =
  | { readonly outcome: 'created' | 'updated' | 'unchanged' | 'removed' }
  /** It starts its runs on another task queue, so it is another deployment's, and stays as it is. */
  | { readonly outcome: 'left alone'; readonly otherTaskQueue: string };

/** Of whoever applies or removes a schedule. */
export interface ApplyOptions {
  /** Also one that starts its runs on another task queue: that deployment is given up. */
  readonly takeOver?: boolean;
  readonly signal?: AbortSignal;
}

/** Tells a pause of ours, which is lifted when the configuration says so, from an operator's. */
const PAUSED_NOTE = 'paused by configuration';

/**
 * Brings a schedule into being as it is defined. It is changed only where it differs, since a change makes Temporal forget runs that
 * it has still to make up for. A run that is still under way makes the next one be skipped. A schedule of another task queue is left alone.
 *
 * @throws GridError `invalid-configuration` when Temporal does not understand the definition; see also {@link TemporalClient.call}
 */
export async function applySchedule(
  temporal: TemporalClient,
  definition: ScheduleDefinition,
  { takeOver = false, signal }: ApplyOptions = {},
): Promise<ScheduleChange> {
  return temporal.call(
    `Applying the schedule ${definition.id}`,
    async (client) => {
      const handle = client.schedule.getHandle(definition.id);
      let present = await describeOf(client, definition.id);
      if (present === undefined) {
        try {
          await understood(definition, client.schedule.create({ ...options(definition), scheduleId: definition.id }));
          return { outcome: 'created' };
        } catch (error) {
          if (!(error instanceof ScheduleAlreadyRunning)) throw error;
          // Another worker started at the same time, most likely with the same definition.
          present = await describeOf(client, definition.id);
          if (present === undefined) throw error;
        }
      }
      const { taskQueue } = present.action;
      if (taskQueue !== definition.taskQueue && !takeOver) return { outcome: 'left alone', otherTaskQueue: taskQueue };
      if (isAsDefined(present, definition)) return { outcome: 'unchanged' };
      await understood(
        definition,
        handle.update((now) => ({ ...options(definition), state: stateOf(definition, now.state) })),
      );
      return { outcome: 'updated' };
    },
    signal === undefined ? {} : { signal },
  );
}

/** Deletes a schedule of a task queue; runs that it has started go on. */
export async function removeSchedule(
  temporal: TemporalClient,
  { id, taskQueue }: Pick<ScheduleDefinition, 'id' | 'taskQueue'>,
  { takeOver = false, signal }: ApplyOptions = {},
): Promise<ScheduleChange> {
  return temporal.call(
    `Removing the schedule ${id}`,
    async (client) => {
      const present = await describeOf(client, id);
      if (present === undefined) return { outcome: 'unchanged' };
      const { taskQueue: its } = present.action;
      if (its !== taskQueue && !takeOver) return { outcome: 'left alone', otherTaskQueue: its };
      try {
        await client.schedule.getHandle(id).delete();
        return { outcome: 'removed' };
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return { outcome: 'unchanged' };
        throw error;
      }
    },
    signal === undefined ? {} : { signal },
  );
}

/** What Temporal has of a schedule; undefined when there is none. */
export function describeSchedule(temporal: TemporalClient, id: string): Promise<ScheduleDescription | undefined> {
  return temporal.call(`Describing the schedule ${id}`, (client) => describeOf(client, id));
}

/** Starts a run now, beside any other. Its scheduled time is now. */
export function triggerSchedule(temporal: TemporalClient, id: string): Promise<void> {
  return temporal.call(`Triggering the schedule ${id}`, (client) => client.schedule.getHandle(id).trigger('ALLOW_ALL'));
}

/**
 * Starts the runs of a time that has passed, one after the other, each with the time that it would have had.
 *
 * @param range both ends belong to it
 */
export function backfillSchedule(
  temporal: TemporalClient,
  id: string,
  range: Pick<Backfill, 'start' | 'end'>,
): Promise<void> {
  return temporal.call(`Backfilling the schedule ${id}`, (client) =>
    client.schedule.getHandle(id).backfill({
      // Temporal leaves out a time that is the very start.
      start: new Date(range.start.getTime() - 1),
      end: range.end,
      overlap: 'BUFFER_ALL',
    }),
  );
}

export function pauseSchedule(temporal: TemporalClient, id: string, note: string): Promise<void> {
  return temporal.call(`Pausing the schedule ${id}`, (client) => client.schedule.getHandle(id).pause(note));
}

export function unpauseSchedule(temporal: TemporalClient, id: string, note: string): Promise<void> {
  return temporal.call(`Unpausing the schedule ${id}`, (client) => client.schedule.getHandle(id).unpause(note));
}

type DefinedOptions = Omit<ScheduleOptions, 'scheduleId' | 'memo' | 'state'> & {
  state: { paused: boolean; note?: string };
};

function options(definition: ScheduleDefinition): DefinedOptions {
  return {
    spec: { ...timesOf(definition), timezone: definition.timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: definition.workflowType,
      workflowId: definition.workflowId,
      taskQueue: definition.taskQueue,
      args: [definition.input],
      memo: { ...definition.memo },
    },
    policies: { overlap: 'SKIP', catchupWindow: definition.catchupWindowMs },
    state: definition.paused ? { paused: true, note: PAUSED_NOTE } : { paused: false },
  };
}

/** Temporal keeps only what an expression means, and its comment: as such it is told how the expression was written. */
function timesOf({ cron, times }: ScheduleDefinition): Pick<ScheduleOptions['spec'], 'cronExpressions' | 'intervals'> {
  if (times.kind === 'calendar') return { cronExpressions: [`${times.cron} # ${cron}`] };
  return { intervals: [{ every: times.everyMs, offset: times.offsetMs }] };
}

function hasTimesOf(
  { calendars = [], intervals = [] }: ScheduleDescription['spec'],
  definition: ScheduleDefinition,
): boolean {
  const { cron, times } = definition;
  const [calendar] = calendars;
  const [interval] = intervals;
  return times.kind === 'calendar'
    ? calendars.length === 1 && intervals.length === 0 && calendar?.comment === cron
    : calendars.length === 0 &&
        intervals.length === 1 &&
        interval?.every === times.everyMs &&
        interval.offset === times.offsetMs;
}

function stateOf(
  definition: ScheduleDefinition,
  present: ScheduleDescription['state'],
): { paused: boolean; note?: string } {
  if (definition.paused) return present.paused ? kept(present) : { paused: true, note: PAUSED_NOTE };
  return present.paused && present.note !== PAUSED_NOTE ? kept(present) : { paused: false };
}

function kept({ paused, note }: ScheduleDescription['state']): { paused: boolean; note?: string } {
  return note === undefined ? { paused } : { paused, note };
}

function isAsDefined(present: ScheduleDescription, definition: ScheduleDefinition): boolean {
  const { action, policies, spec, state } = present;
  return (
    hasTimesOf(spec, definition) &&
    (spec.timezone ?? 'UTC') === definition.timeZone &&
    action.workflowType === definition.workflowType &&
    action.workflowId === definition.workflowId &&
    action.taskQueue === definition.taskQueue &&
    isDeepStrictEqual(action.args, [definition.input]) &&
    isDeepStrictEqual(action.memo, { ...definition.memo }) &&
    policies.overlap === 'SKIP' &&
    policies.catchupWindow === definition.catchupWindowMs &&
    state.paused === stateOf(definition, state).paused
  );
}

async function describeOf(client: Client, id: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(id).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** The SDK tells of a definition that the server refuses by a TypeError. */
async function understood<T>(definition: ScheduleDefinition, applied: Promise<T>): Promise<T> {
  try {
    return await applied;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new GridError(
      'invalid-configuration',
      `Applying the schedule ${definition.id}: Temporal does not take the cron expression ${JSON.stringify(definition.cron)} in the zone ${definition.timeZone}: ${error.message}. Correct it in the environment or in .env (see example.env).`,
      { cause: error },
    );
  }
}
