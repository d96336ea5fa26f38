import { setTimeout as sleep } from 'node:timers/promises';
import type { TemporalClient } from './client.ts';
import { applySchedule, removeSchedule, type ScheduleDefinition } from './schedule.ts';
import { GridError } from '../../grid/errors.ts';
import { importInput } from '../../grid/history/import-input.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { BUSINESS_TIME_ZONE } from '../../workflows/import/business-date.ts';

export const NIGHTLY_SCHEDULE_ID = 'nightly-sql-import';

const RETRY_DELAY_MS = 2_000;

type NightlyConfig = Pick<
  Config,
  | 'NIGHTLY_IMPORT'
  | 'NIGHTLY_IMPORT_CRON'
  | 'NIGHTLY_IMPORT_TIME_ZONE'
  | 'NIGHTLY_IMPORT_CATCHUP_SECONDS'
  | 'NIGHTLY_IMPORT_INPUT'
  | 'TEMPORAL_TASK_QUEUE'
>;

/** The nightly import as it is configured: on or paused with its definition, or not wanted. */
export type NightlySchedule =
  { readonly wanted: true; readonly definition: ScheduleDefinition } | { readonly wanted: false; readonly id: string };

/**
 * @param id of the schedule and base of its runs' workflow ids
 * @throws GridError `invalid-configuration`: the variable named
 */
export function nightlySchedule(config: NightlyConfig, id = NIGHTLY_SCHEDULE_ID): NightlySchedule {
  const input = nightlyInput(config.NIGHTLY_IMPORT_INPUT);
  const timeZone = config.NIGHTLY_IMPORT_TIME_ZONE;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
  } catch (error) {
    throw invalid('NIGHTLY_IMPORT_TIME_ZONE', timeZone, 'is no IANA time zone, such as Europe/Berlin', error);
  }
  if (config.NIGHTLY_IMPORT === 'off') return { wanted: false, id };
  return {
    wanted: true,
    definition: {
      id,
      cron: config.NIGHTLY_IMPORT_CRON.trim().replaceAll(/\s+/g, ' '),
      timeZone,
      workflowType: 'importSqlHistory',
      workflowId: id,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      input,
      memo: { [BUSINESS_TIME_ZONE]: timeZone },
      catchupWindowMs: config.NIGHTLY_IMPORT_CATCHUP_SECONDS * 1_000,
      paused: config.NIGHTLY_IMPORT === 'paused',
    },
  };
}

/**
 * Applies the configuration once.
 *
 * @throws GridError `invalid-configuration`, `temporal-unavailable`, `temporal-refused`, `shutting-down`
 */
export async function applyNightly(
  temporal: TemporalClient,
  nightly: NightlySchedule,
  signal?: AbortSignal,
): Promise<'created' | 'updated' | 'unchanged' | 'removed'> {
  if (!nightly.wanted) return (await removeSchedule(temporal, nightly.id, signal)) ? 'removed' : 'unchanged';
  try {
    return await applySchedule(temporal, nightly.definition, signal);
  } catch (error) {
    if (!(error instanceof GridError) || error.code !== 'invalid-configuration') throw error;
    const said = error.cause instanceof Error ? error.cause.message : error.message;
    throw invalid('NIGHTLY_IMPORT_CRON', nightly.definition.cron, `is not taken by Temporal: ${said}`, error);
  }
}

/**
 * Applies the configuration as soon as Temporal is there; returns when it has, or when `signal` aborts.
 *
 * @throws GridError when Temporal refuses it
 */
export async function applyNightlyEventually(
  temporal: TemporalClient,
  nightly: NightlySchedule,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const id = nightly.wanted ? nightly.definition.id : nightly.id;
  while (!signal.aborted) {
    try {
      const change = await applyNightly(temporal, nightly, signal);
      if (change !== 'unchanged') logger.info({ schedule: id }, `nightly import: the schedule was ${change}`);
      return;
    } catch (error) {
      if (error instanceof GridError && error.code === 'shutting-down') return;
      // That Temporal does not answer is told by the workers.
      if (!(error instanceof GridError) || !error.retryable) throw error;
    }
    await sleep(RETRY_DELAY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The input as it was written: defaults are the workflow's, so that they may change with it. */
function nightlyInput(text: string): Readonly<Record<string, unknown>> {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (error) {
    throw invalid('NIGHTLY_IMPORT_INPUT', text, `is not JSON: ${String(error)}`, error);
  }
  const parsed = importInput.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join('.')}: ${message}`,
    );
    throw invalid('NIGHTLY_IMPORT_INPUT', text, `is no input of importSqlHistory: ${problems.join('; ')}`);
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
