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

/** A schedule as it is configured. It starts one workflow at each of its times. */
export interface ScheduleDefinition {
  readonly id: string;
  /** Cron expression of five to seven fields, or one of Temporal's short forms such as `@daily`. */
  readonly cron: string;
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
export type ScheduleChange = 'created' | 'updated' | 'unchanged';

/** Tells a pause of ours, which is lifted when the configuration says so, from an operator's. */
const PAUSED_NOTE = 'paused by configuration';

/**
 * Brings a schedule into being as it is defined. It is changed only where it differs, since a change makes Temporal forget runs that
 * it has still to make up for. A run that is still under way makes the next one be skipped.
 *
 * @throws GridError `invalid-configuration` when Temporal does not understand the definition; see also {@link TemporalClient.call}
 */
export async function applySchedule(
  temporal: TemporalClient,
  definition: ScheduleDefinition,
  signal?: AbortSignal,
): Promise<ScheduleChange> {
  const bounded = signal === undefined ? {} : { signal };
  return temporal.call(
    `Applying the schedule ${definition.id}`,
    async (client) => {
      const handle = client.schedule.getHandle(definition.id);
      const present = await describeOf(client, definition.id);
      if (present === undefined) {
        try {
          await understood(definition, client.schedule.create({ ...options(definition), scheduleId: definition.id }));
          return 'created';
        } catch (error) {
          // Another worker that starts at the same time has the same definition.
          if (error instanceof ScheduleAlreadyRunning) return 'unchanged';
          throw error;
        }
      }
      if (isAsDefined(present, definition)) return 'unchanged';
      await understood(
        definition,
        handle.update((now) => ({ ...options(definition), state: stateOf(definition, now.state) })),
      );
      return 'updated';
    },
    bounded,
  );
}

/** Deletes a schedule; runs that it has started go on. @returns whether there was one */
export function removeSchedule(temporal: TemporalClient, id: string, signal?: AbortSignal): Promise<boolean> {
  return temporal.call(
    `Removing the schedule ${id}`,
    async (client) => {
      try {
        await client.schedule.getHandle(id).delete();
        return true;
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return false;
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
    spec: { cronExpressions: [withComment(definition.cron)], timezone: definition.timeZone },
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

/** Temporal keeps only what an expression means, and its comment. */
function withComment(cron: string): string {
  return cron.startsWith('@') ? cron : `${cron} # ${cron}`;
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
  const [calendar] = spec.calendars ?? [];
  return (
    calendar?.comment === definition.cron &&
    spec.calendars?.length === 1 &&
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
