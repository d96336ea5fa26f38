import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  backfillSchedule,
  describeSchedule,
  pauseSchedule,
  removeSchedule,
  triggerSchedule,
  type ScheduleChange,
} from '../../connectors/temporal/schedule.ts';
import { GridError } from '../../grid/errors.ts';
import { loadConfig } from '../../runtime/config.ts';
import {
  applyConfigured,
  configuredSchedule,
  scheduleWarnings,
  type ConfiguredSchedule,
} from '../../connectors/temporal/configured-schedule.ts';
import { importContract } from '../../workflows/import/contract.ts';
import { eventually } from '../support/eventually.ts';
import { TemporalBed } from './temporal-bed.ts';

const bed = new TemporalBed();
const { temporal } = bed;
const id = `nightly-${bed.taskQueue}`;

/** The nightly schedule as those variables would have it, but starting the tests' own workflow. */
function configured(environment: Readonly<Record<string, string>> = {}): ConfiguredSchedule {
  const variables = { TEMPORAL_TASK_QUEUE: bed.taskQueue, NIGHTLY_IMPORT_SCHEDULE_ID: id, ...environment };
  const nightly = configuredSchedule(importContract, loadConfig(variables));
  if (!nightly.wanted) return nightly;
  return { ...nightly, definition: { ...nightly.definition, workflowType: 'scheduled' } };
}

beforeAll(async () => {
  await bed.startReadyWorker();
});
afterAll(async () => {
  await removeSchedule(temporal, { id, taskQueue: bed.taskQueue });
  await bed.cleanUp();
});

async function applied(schedule: ConfiguredSchedule): Promise<ScheduleChange['outcome']> {
  return (await applyConfigured(temporal, schedule)).outcome;
}

/** What the runs of the schedule were started with, by workflow id. */
async function runs(): Promise<Map<string, { scheduledFor: string; input: unknown; memo: unknown }>> {
  const found = new Map<string, { scheduledFor: string; input: unknown; memo: unknown }>();
  for await (const { workflowId } of temporal.sdk.workflow.list({ query: `TaskQueue = '${bed.taskQueue}'` })) {
    const end = await bed.end(workflowId);
    if (end.completed) found.set(workflowId, end.result as { scheduledFor: string; input: unknown; memo: unknown });
  }
  return found;
}

describe('the nightly schedule', () => {
  it('is made once, however many workers start at once', async () => {
    const changes = await Promise.all([1, 2, 3].map(() => applied(configured())));
    expect(changes.filter((change) => change === 'created')).toHaveLength(1);
    expect(changes.filter((change) => change === 'unchanged')).toHaveLength(2);
    const present = await describeSchedule(temporal, id);
    expect(present).toMatchObject({
      spec: { timezone: 'UTC' },
      policies: { overlap: 'SKIP', catchupWindow: 86_400_000 },
      state: { paused: false },
      action: {
        workflowId: id,
        taskQueue: bed.taskQueue,
        args: [{ mode: 'merge', reconcile: true }],
        memo: { businessTimeZone: 'UTC' },
      },
    });
    expect(present?.info.nextActionTimes[0]?.toISOString()).toMatch(/T02:00:00\.000Z$/);
  });

  it('follows the configuration, and is left alone where nothing has changed', async () => {
    const changed = { NIGHTLY_IMPORT_CRON: '30  3 * * 1-5', NIGHTLY_IMPORT_TIME_ZONE: 'Europe/Berlin' };
    expect(await applied(configured(changed))).toBe('updated');
    const updatedAt = (await describeSchedule(temporal, id))?.info.lastUpdatedAt;
    expect(updatedAt).toBeDefined();
    expect(await applied(configured(changed))).toBe('unchanged');
    expect((await describeSchedule(temporal, id))?.info.lastUpdatedAt).toEqual(updatedAt);
    for (const one of [{ NIGHTLY_IMPORT_INPUT: '{"mode":"full"}' }, { NIGHTLY_IMPORT_CATCHUP_SECONDS: '3600' }]) {
      expect([one, await applied(configured(one))]).toEqual([one, 'updated']);
    }
  });

  it.each(['@daily', '@every 3h', '0 5 * * * # nightly', '0 2 1-7 * MON'])(
    'is left alone when it is %j again',
    async (cron) => {
      expect(await applied(configured({ NIGHTLY_IMPORT_CRON: cron }))).toBe('updated');
      expect(await applied(configured({ NIGHTLY_IMPORT_CRON: cron }))).toBe('unchanged');
      expect((await describeSchedule(temporal, id))?.info.nextActionTimes.length).toBeGreaterThan(0);
    },
  );

  it('comes at the times of its expression', async () => {
    await applied(configured({ NIGHTLY_IMPORT_CRON: '0 2 1-7 * MON' }));
    const times = (await describeSchedule(temporal, id))?.info.nextActionTimes ?? [];
    for (const time of times)
      expect([time.getUTCDay(), time.getUTCHours(), time.getUTCDate() <= 7]).toEqual([1, 2, true]);
    await applied(configured({ NIGHTLY_IMPORT_CRON: '@daily' }));
    const [next] = (await describeSchedule(temporal, id))?.info.nextActionTimes ?? [];
    expect(next?.toISOString()).toMatch(/T00:00:00\.000Z$/);
  });

  it('of a deployment is left alone by another on another task queue, and neither updated nor removed, unless it takes it over', async () => {
    await applied(configured());
    const before = (await describeSchedule(temporal, id))?.info.lastUpdatedAt;
    for (const environment of [{}, { NIGHTLY_IMPORT: 'off' }]) {
      const other = configured({ TEMPORAL_TASK_QUEUE: 'another-deployment', ...environment });
      const change = await applyConfigured(temporal, other);
      expect(change).toEqual({ outcome: 'left alone', otherTaskQueue: bed.taskQueue });
      expect(scheduleWarnings(other, change).join()).toMatch(
        new RegExp(
          `${id} starts its runs on task queue ${bed.taskQueue}, .* works on another-deployment: .*NIGHTLY_IMPORT_SCHEDULE_ID`,
        ),
      );
    }
    expect((await describeSchedule(temporal, id))?.info.lastUpdatedAt).toEqual(before);
    const other = configured({ TEMPORAL_TASK_QUEUE: 'another-deployment' });
    expect(await applyConfigured(temporal, other, { takeOver: true })).toEqual({ outcome: 'updated' });
    expect((await describeSchedule(temporal, id))?.action.taskQueue).toBe('another-deployment');
    expect(await applyConfigured(temporal, configured(), { takeOver: true })).toEqual({ outcome: 'updated' });
  });

  it('stays paused by an operator when a worker starts, and is paused and resumed by the configuration', async () => {
    await applied(configured());
    await pauseSchedule(temporal, id, 'month end');
    expect(await applied(configured())).toBe('unchanged');
    expect(await applied(configured({ NIGHTLY_IMPORT_CRON: '0 4 * * *' }))).toBe('updated');
    expect((await describeSchedule(temporal, id))?.state).toEqual({ paused: true, note: 'month end' });

    await temporal.sdk.schedule.getHandle(id).unpause();
    expect(await applied(configured({ NIGHTLY_IMPORT: 'paused' }))).toBe('updated');
    expect((await describeSchedule(temporal, id))?.state.paused).toBe(true);
    expect(await applied(configured())).toBe('updated');
    expect((await describeSchedule(temporal, id))?.state.paused).toBe(false);
  });

  it('starts the runs of past days, each for its own time', async () => {
    await applied(configured());
    await backfillSchedule(temporal, id, {
      start: new Date('2026-03-01T02:00:00Z'),
      end: new Date('2026-03-03T02:00:00Z'),
    });
    const started = await eventually('three runs', async () => {
      const found = await runs();
      return found.size === 3 ? found : undefined;
    });
    expect([...started.entries()].map(([workflowId, { scheduledFor }]) => [workflowId, scheduledFor]).sort()).toEqual(
      ['2026-03-01', '2026-03-02', '2026-03-03'].map((day) => [`${id}-${day}T02:00:00Z`, `${day}T02:00:00.000Z`]),
    );
    for (const run of started.values()) {
      expect(run).toMatchObject({ input: { mode: 'merge', reconcile: true }, memo: { businessTimeZone: 'UTC' } });
    }
  });

  it('starts a run when it is triggered', async () => {
    const before = (await runs()).size;
    await triggerSchedule(temporal, id);
    await eventually('one more run', async () => (await runs()).size === before + 1);
  });

  it('is removed where it is not wanted', async () => {
    expect(await applied(configured({ NIGHTLY_IMPORT: 'off' }))).toBe('removed');
    expect(await applied(configured({ NIGHTLY_IMPORT: 'off' }))).toBe('unchanged');
    expect(await describeSchedule(temporal, id)).toBeUndefined();
  });

  it('is refused with its variable named when Temporal cannot read it', async () => {
    const wrong = applied(configured({ NIGHTLY_IMPORT_CRON: '0 99 * * *' }));
    await expect(wrong).rejects.toBeInstanceOf(GridError);
    await expect(wrong).rejects.toMatchObject({
      code: 'invalid-configuration',
      message: expect.stringContaining('NIGHTLY_IMPORT_CRON="0 99 * * *"') as string,
    });
  });
});
