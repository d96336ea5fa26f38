import type { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import type { TemporalClient } from './client.ts';
import { cronMeaning, type CronMeaning } from './cron.ts';
import {
  applySchedule,
  removeSchedule,
  type ApplyOptions,
  type ScheduleChange,
  type ScheduleDefinition,
} from './schedule.ts';

const RETRY_DELAY_MS = 2_000;

type Variables = 'NIGHTLY_IMPORT' | 'NIGHTLY_VIEWS' | 'NIGHTLY_COMPACTION';

/** A job that is started by itself, as configuration variables say that begin with `variables`. */
export interface ScheduledJob {
  readonly workflowType: string;
  readonly input: z.ZodType;
  readonly schedule: { readonly variables: Variables; readonly timeZoneMemo: string };
}

type ScheduleConfig = Pick<Config, Extract<keyof Config, `${Variables}${string}`> | 'TEMPORAL_TASK_QUEUE'>;

/** A schedule as it is configured: on or paused with its definition, or not wanted. */
export type ConfiguredSchedule = {
  readonly id: string;
  readonly variables: string;
  readonly taskQueue: string;
} & (
  | {
      readonly wanted: true;
      readonly definition: ScheduleDefinition;
      /** What its times mean, where that may surprise. */ readonly notes: readonly string[];
    }
  | { readonly wanted: false }
);

/** @throws GridError `invalid-configuration`: the variable named */
export function configuredSchedule(job: ScheduledJob, config: ScheduleConfig): ConfiguredSchedule {
  const { variables, timeZoneMemo } = job.schedule;
  const id = config[`${variables}_SCHEDULE_ID`];
  const taskQueue = config.TEMPORAL_TASK_QUEUE;
  const input = inputOf(job, config[`${variables}_INPUT`]);
  const timeZone = config[`${variables}_TIME_ZONE`];
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
  } catch (error) {
    throw invalid(`${variables}_TIME_ZONE`, timeZone, 'is no IANA time zone, such as Europe/Berlin', error);
  }
  const meaning = meaningOf(`${variables}_CRON`, config[`${variables}_CRON`]);
  if (config[variables] === 'off') return { wanted: false, id, variables, taskQueue };
  return {
    wanted: true,
    id,
    variables,
    taskQueue,
    notes: meaning.notes,
    definition: {
      id,
      cron: meaning.expression,
      times: meaning.times,
      timeZone,
      workflowType: job.workflowType,
      workflowId: id,
      taskQueue,
      input,
      memo: { [timeZoneMemo]: timeZone },
      catchupWindowMs: config[`${variables}_CATCHUP_SECONDS`] * 1_000,
      paused: config[variables] === 'paused',
    },
  };
}

/**
 * Applies the configuration once.
 *
 * @throws GridError `invalid-configuration`, `temporal-unavailable`, `temporal-refused`, `shutting-down`
 */
export async function applyConfigured(
  temporal: TemporalClient,
  configured: ConfiguredSchedule,
  options: ApplyOptions = {},
): Promise<ScheduleChange> {
  if (!configured.wanted) return removeSchedule(temporal, configured, options);
  const { definition, variables } = configured;
  try {
    return await applySchedule(temporal, definition, options);
  } catch (error) {
    if (!(error instanceof GridError) || error.code !== 'invalid-configuration') throw error;
    const said = error.cause instanceof Error ? error.cause.message : error.message;
    throw invalid(`${variables}_CRON`, definition.cron, `is not taken by Temporal: ${said}`, error);
  }
}

/** What an operator should know of a schedule that was applied, in sentences. */
export function scheduleWarnings(configured: ConfiguredSchedule, change: ScheduleChange): readonly string[] {
  const { id, variables, taskQueue } = configured;
  if (change.outcome !== 'left alone') return configured.wanted ? configured.notes : [];
  return [
    `The schedule ${id} starts its runs on task queue ${change.otherTaskQueue}, and this deployment works on ${taskQueue}: it is left as it is. ` +
      `Give this deployment a schedule of its own (${variables}_SCHEDULE_ID), or none (${variables}=off); where ${change.otherTaskQueue} is given up, take it over: npm run job -- schedule apply --take-over`,
  ];
}

/**
 * Applies the configuration as soon as Temporal is there; returns when it has, or when `signal` aborts.
 *
 * @throws GridError when Temporal refuses it
 */
export async function applyEventually(
  temporal: TemporalClient,
  configured: ConfiguredSchedule,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const change = await applyConfigured(temporal, configured, { signal });
      const { outcome } = change;
      if (outcome === 'created' || outcome === 'updated' || outcome === 'removed') {
        logger.info({ schedule: configured.id }, `the schedule ${configured.id} was ${outcome}`);
      }
      // A deployment that wants none has nothing to fight for.
      if (outcome === 'left alone' && !configured.wanted) return;
      for (const warning of scheduleWarnings(configured, change)) logger.warn({ schedule: configured.id }, warning);
      return;
    } catch (error) {
      if (error instanceof GridError && error.code === 'shutting-down') return;
      // That Temporal does not answer is told by the workers.
      if (!(error instanceof GridError) || !error.retryable) throw error;
    }
    await pause(RETRY_DELAY_MS, signal);
  }
}

function meaningOf(name: string, cron: string): CronMeaning {
  try {
    return cronMeaning(cron);
  } catch (error) {
    if (error instanceof GridError) throw invalid(name, cron, error.message, error);
    throw error;
  }
}

/** The input as it was written: defaults are the workflow's, so that they may change with it. */
function inputOf(
  { workflowType, input: schema, schedule }: ScheduledJob,
  text: string,
): Readonly<Record<string, unknown>> {
  const name = `${schedule.variables}_INPUT`;
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw invalid(name, text, `is not JSON: ${String(error)}`, error);
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    throw invalid(name, text, `is no input of ${workflowType}: ${problems.join('; ')}`);
  }
  return { ...(input as Record<string, unknown>) };
}

function invalid(name: string, value: string, problem: string, cause?: unknown): GridError {
  return new GridError(
    'invalid-configuration',
    `Reading the configuration: ${name}=${JSON.stringify(value)} ${problem}. Correct it in the environment or in .env (see example.env).`,
    cause === undefined ? {} : { cause },
  );
}
