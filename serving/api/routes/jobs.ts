import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  inputsOf,
  listExecutions,
  queryWorkflow,
  signalWorkflow,
  startWorkflow,
  statusOf,
  describeExecution,
  type Execution,
} from '../../../connectors/temporal/executions.ts';
import { FollowedWorkflow } from '../../../connectors/temporal/followed-workflow.ts';
import type { TemporalClient } from '../../../connectors/temporal/client.ts';
import { GridError } from '../../../grid/errors.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import { jobOf, JOBS } from '../../../workflows/registry.ts';
import { apiRoute, value, type ApiRoute } from '../api-route.ts';
import * as ask from '../parameters.ts';

const MOST = 500;
const USUAL = 50;
/** Progress needs an answer of the workflow itself; of more than these it is not asked. */
const MOST_PROGRESS = 20;
const PROGRESS_LIMIT_MS = 2_000;
const STATUSES = {
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Canceled',
  terminated: 'Terminated',
  'timed-out': 'TimedOut',
} as const;
const STATUS_NAMES = ['running', 'completed', 'failed', 'cancelled', 'terminated', 'timed-out'] as const;

const text = z.string();
const workflowId = z
  .string()
  .min(1)
  .max(500)
  .refine((id) => !/[\p{Cc}\p{Cs}]/u.test(id), 'has a character that no id has');
const confirm = z.string().max(500);
const jobAnswer = z.object({
  workflowId: text,
  runId: text,
  workflowType: text,
  status: text,
  startedAt: text,
  closedAt: text.nullable(),
  parked: text.nullable().describe('Why it waits to be told to retry'),
  progress: z.object({ amount: text, rest: text }).nullable(),
  url: text.describe('Its page in the Temporal Web UI'),
});
const started = z.object({ workflowId: text, runId: text, url: text });
const told = z.object({ workflowId: text, status: text, url: text });

export interface JobRoutesOptions {
  readonly temporal: TemporalClient;
  readonly taskQueue: string;
  /** Where people reach the Temporal Web UI. */
  readonly uiUrl: string;
}

/** What can be started, what runs and what has run; starting, cancelling and retrying it. */
export function jobRoutes({ temporal, taskQueue, uiUrl }: JobRoutesOptions): ApiRoute[] {
  const urlOf = (id: string, runId?: string): string =>
    `${uiUrl}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows/${encodeURIComponent(id)}${runId === undefined ? '' : `/${encodeURIComponent(runId)}/history`}`;

  async function progressOf(execution: Execution): Promise<Pick<z.output<typeof jobAnswer>, 'parked' | 'progress'>> {
    const job = jobOf(execution.workflowType);
    if (job === undefined || execution.status !== 'RUNNING') return { parked: null, progress: null };
    // A job without a worker does not answer; the list does not wait for it.
    const asked = await orLate(
      PROGRESS_LIMIT_MS,
      queryWorkflow(temporal, execution, 'progress').catch(() => undefined),
    );
    const progress = asked.late ? undefined : asked.value;
    const brief = job.brief(progress);
    return {
      parked: job.waitsForRetry(progress) ?? null,
      progress: brief === undefined ? null : { amount: brief.amount, rest: brief.rest },
    };
  }

  /** @throws GridError `not-found` */
  async function existing(id: string): Promise<Execution> {
    if ((await statusOf(temporal, id)) === undefined) {
      throw new GridError(
        'not-found',
        `Looking for the job ${JSON.stringify(id.slice(0, 200))}: there is none of that id.`,
      );
    }
    const execution = await describeExecution(temporal, id);
    if (execution.taskQueue !== taskQueue) {
      throw new GridError(
        'not-found',
        `Looking for the job ${JSON.stringify(id.slice(0, 200))}: it is none of this deployment's.`,
      );
    }
    return execution;
  }

  const list = apiRoute({
    method: 'GET',
    path: '/api/jobs',
    summary: 'Jobs that run and have run, newest first, and those that can be started',
    tag: 'jobs',
    query: z.strictObject({
      status: z.enum(STATUS_NAMES).optional(),
      workflowType: z.string().max(200).regex(/^\w+$/, 'must be the type of a workflow').optional(),
      limit: ask.limit(MOST, USUAL),
    }),
    answer: z.object({
      jobs: z.array(jobAnswer),
      types: z.array(z.object({ workflowType: text, summary: text, example: z.unknown(), input: z.unknown() })),
      url: text,
    }),
    async answerTo({ query: { status, workflowType, limit } }) {
      const executions = await listExecutions(temporal, {
        taskQueue,
        limit: limit ?? USUAL,
        ...(status === undefined ? {} : { status: STATUSES[status] }),
        ...(workflowType === undefined ? {} : { workflowType }),
      });
      let asked = 0;
      const jobs = await Promise.all(
        executions.map(async (execution): Promise<z.output<typeof jobAnswer>> => {
          const isAsked = execution.status === 'RUNNING' && asked++ < MOST_PROGRESS;
          const progress = isAsked ? await progressOf(execution) : { parked: null, progress: null };
          const { workflowId: id, runId } = execution;
          return {
            ...{ workflowId: id, runId, workflowType: execution.workflowType, status: statusText(execution.status) },
            startedAt: execution.startedAt.toISOString(),
            closedAt: execution.closedAt?.toISOString() ?? null,
            ...progress,
            url: urlOf(id, runId),
          };
        }),
      );
      return value({
        jobs,
        types: jobTypes(),
        url: `${uiUrl}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows`,
      });
    },
  });

  const start = apiRoute({
    method: 'POST',
    path: '/api/jobs',
    summary: 'Start a job; `confirm` repeats its workflow type',
    tag: 'jobs',
    role: 'operate',
    body: z.strictObject({
      workflowType: z.string().max(200),
      input: z.record(z.string(), z.unknown()).default({}),
      workflowId: workflowId.optional(),
      confirm,
    }),
    answer: started,
    async answerTo({ body, target }) {
      const job = jobOf(body.workflowType);
      if (job === undefined) {
        const known = JOBS.map(({ contract }) => contract.workflowType).join(', ');
        throw new GridError('invalid-input', `Starting a job: there is no such workflow. Known are ${known}.`);
      }
      confirmed(body.confirm, body.workflowType);
      const input = job.contract.input.safeParse(body.input);
      if (!input.success) {
        const problems = input.error.issues.slice(0, 10).map(({ path, message }) => `${path.join('.')}: ${message}`);
        throw new GridError(
          'invalid-input',
          `Starting ${body.workflowType}: its input is wrong: ${problems.join('; ').slice(0, 1_000)}.`,
        );
      }
      const id = body.workflowId ?? `${body.workflowType}-${randomUUID()}`;
      target(id);
      const runId = await startWorkflow(temporal, {
        ...{ workflowType: body.workflowType, workflowId: id, taskQueue, input: body.input },
      });
      return value({ workflowId: id, runId, url: urlOf(id, runId) }, 202);
    },
  });

  const params = z.strictObject({ workflowId });
  const body = z.strictObject({ confirm });

  const cancel = apiRoute({
    method: 'POST',
    path: '/api/jobs/{workflowId}/cancel',
    summary: 'Ask a job to cancel itself; `confirm` repeats its id',
    tag: 'jobs',
    role: 'operate',
    ...{ params, body },
    answer: told,
    async answerTo({ params: { workflowId: id }, body: { confirm: confirmation }, target }) {
      target(id);
      confirmed(confirmation, id);
      const execution = await existing(id);
      if (execution.status !== 'RUNNING') {
        throw new GridError(
          'invalid-input',
          `Cancelling ${id}: it is not running, it is ${statusText(execution.status)}.`,
        );
      }
      await new FollowedWorkflow(temporal, id, execution.runId).cancel();
      return value({ workflowId: id, status: 'cancelling', url: urlOf(id, execution.runId) }, 202);
    },
  });

  const retry = apiRoute({
    method: 'POST',
    path: '/api/jobs/{workflowId}/retry',
    summary:
      'Tell a job that waits with parked work to go on, or start an ended one again with its input; `confirm` repeats its id',
    tag: 'jobs',
    role: 'operate',
    ...{ params, body },
    answer: told,
    async answerTo({ params: { workflowId: id }, body: { confirm: confirmation }, target }) {
      target(id);
      confirmed(confirmation, id);
      const execution = await existing(id);
      if (execution.status === 'RUNNING') {
        const { parked } = await progressOf(execution);
        if (parked === null)
          throw new GridError('invalid-input', `Retrying ${id}: it runs, and does not wait for that.`);
        await signalWorkflow(temporal, execution, {
          name: 'retryFailed',
          payload: {},
          attempt: `Telling ${id} to go on`,
        });
        return value({ workflowId: id, status: 'signalled', url: urlOf(id, execution.runId) }, 202);
      }
      const { workflowType } = execution;
      if (jobOf(workflowType) === undefined)
        throw new GridError('invalid-input', `Retrying ${id}: ${workflowType} is no job.`);
      const [input] = await inputsOf(temporal, execution);
      const again = z
        .record(z.string(), z.unknown())
        .catch({})
        .parse(input ?? {});
      const retryId = `${workflowType}-retry-${execution.runId.slice(-12)}`;
      const runId = await startWorkflow(temporal, { workflowType, workflowId: retryId, taskQueue, input: again });
      return value({ workflowId: retryId, status: 'started', url: urlOf(retryId, runId) }, 202);
    },
  });

  return [list, start, cancel, retry];
}

function jobTypes(): unknown[] {
  return JOBS.map(({ contract: { workflowType, summary, example, input } }) => ({
    ...{ workflowType, summary, example },
    input: z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }),
  }));
}

/** What cannot be taken back is asked for twice. @throws GridError `invalid-input` */
function confirmed(given: string, name: string): void {
  if (given === name) return;
  throw new GridError('invalid-input', 'Changing a job: confirm does not repeat its name. Nothing was done.');
}

function statusText(status: Execution['status']): string {
  return status.toLowerCase().replaceAll('_', '-').replace('canceled', 'cancelled');
}
