import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FollowedWorkflow } from '../../connectors/temporal/followed-workflow.ts';
import { eventually } from '../support/eventually.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { operationsUrl, readiness, TemporalBed, untilReady } from './temporal-bed.ts';

const bed = new TemporalBed();
const directory = mkdtempSync(join(tmpdir(), 'powergrid-steps-'));
afterAll(async () => {
  await bed.cleanUp();
  rmSync(directory, { recursive: true, force: true });
});

interface Step {
  readonly attempt: number;
  readonly step: number;
}

function stepsIn(file: string): Step[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [attempt = 0, step = 0] = line.split(' ').map(Number);
    return { attempt, step };
  });
}

describe('errors of activities', () => {
  beforeAll(async () => {
    await bed.startReadyWorker();
  });

  it('are tried again when their code says so', async () => {
    expect(await bed.end(await bed.start('failing', { code: 'source-unavailable' }))).toEqual({
      completed: true,
      result: 3,
    });
  });

  it('end the workflow at once when their code says so, and arrive with code, sentence and details', async () => {
    expect(await bed.end(await bed.start('failing', { code: 'source-denied' }))).toEqual({
      completed: false,
      failure: {
        status: 'failed',
        code: 'source-denied',
        message: 'Trying source-denied: attempt 1.',
        details: [{ split: 7 }],
      },
    });
  });

  it('that nobody foresaw are defects, which are not tried again', async () => {
    const ended = await bed.end(await bed.start('failing', { code: 'nonsense' }));
    expect(ended).toMatchObject({ completed: false, failure: { code: 'defect' } });
    expect(JSON.stringify(ended)).toContain('Running the activity fail: unexpected no such code: nonsense');
  });

  it('of an activity that was cancelled are the cancellation', async () => {
    const workflowId = await bed.start('endless');
    await bed.temporal.sdk.workflow.getHandle(workflowId).cancel();
    expect(await bed.end(workflowId)).toMatchObject({ completed: false, failure: { status: 'cancelled' } });
  });
});

it('tells a follower the last heartbeats of activities that are under way', async () => {
  await bed.startReadyWorker();
  const workflowId = await bed.start('steps', { count: 100_000, stepMs: 50, file: join(directory, 'heartbeats') });
  const followed = new FollowedWorkflow(bed.temporal, workflowId);
  await eventually('a step is told', async () => {
    const [step] = await followed.heartbeats(AbortSignal.timeout(10_000));
    return typeof step === 'number' && step > 0;
  });
});

it('serves its own metrics and those of the SDK in one page, each name once', async () => {
  const worker = await bed.startReadyWorker();
  const page = await (await fetch(`${await operationsUrl(worker)}/metrics`)).text();
  const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(names).toEqual(expect.arrayContaining(['process_cpu_seconds_total', 'temporal_num_pollers']));
  expect(names).toHaveLength(new Set(names).size);
  // Every line is a comment, a sample, or empty (Prometheus's text format).
  const odd = page.split('\n').filter((line) => !/^(#.*|[a-z_\d]+(\{.*\})? [-+.\deINaf]+|)$/.test(line));
  expect(odd).toEqual([]);
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
});

describe('a worker', () => {
  it('that is killed is followed by another, which goes on from the last step that Temporal was told of', async () => {
    const own = new TemporalBed();
    try {
      const file = join(directory, 'killed');
      const first = await own.startReadyWorker();
      const workflowId = await own.start('steps', { count: 6, stepMs: 700, file });
      const told = await eventually('Temporal is told of three steps', async () => {
        const { raw } = await own.temporal.sdk.workflow.getHandle(workflowId).describe();
        const data = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0]?.data;
        const step = Number(Buffer.from(data ?? []).toString());
        return step >= 3 ? step : undefined;
      });
      await first.kill();
      await own.startReadyWorker();
      const end = await own.end(workflowId);
      const resumedAt = end.completed ? Number(end.result) : -1;
      expect(resumedAt).toBeGreaterThanOrEqual(told);
      const taken = stepsIn(file);
      expect([...new Set(taken.map(({ step }) => step))]).toEqual([0, 1, 2, 3, 4, 5]);
      const again = taken.filter(({ attempt }) => attempt > 1).map(({ step }) => step);
      expect(again).toEqual([0, 1, 2, 3, 4, 5].slice(resumedAt));
    } finally {
      await own.cleanUp();
    }
  });

  it('told to stop cancels what is under way, tells Temporal, and ends with 0; another one goes on at the very step', async () => {
    const own = new TemporalBed();
    try {
      const file = join(directory, 'stopped');
      const first = await own.startReadyWorker({ SHUTDOWN_TIMEOUT_MS: '4000' });
      const workflowId = await own.start('steps', { count: 20, stepMs: 300, file });
      await eventually('two steps', () => stepsIn(file).length >= 2, undefined, 20);
      expect(await first.stop()).toEqual({ code: 0, signal: null });
      expect(first.output).toContain('"msg":"stopped"');
      const { raw } = await own.temporal.sdk.workflow.getHandle(workflowId).describe();
      // It need not find out by the heartbeats that fail to come.
      expect(raw.pendingActivities?.[0]?.lastFailure?.applicationFailureInfo?.type).toBe('WorkerShutdown');
      await own.startReadyWorker();
      expect(await own.end(workflowId)).toMatchObject({ completed: true });
      expect(stepsIn(file).map(({ step }) => step)).toEqual(Array.from({ length: 20 }, (_, step) => step));
    } finally {
      await own.cleanUp();
    }
  });

  it('waits for Temporal, says so, and outlives its loss in the middle of an activity', async () => {
    const own = new TemporalBed();
    const [targetHost = '', targetPort = ''] = own.address.split(':');
    const proxy = await TcpProxy.start({ targetHost, targetPort: Number(targetPort) });
    await proxy.refuse();
    try {
      const worker = own.startWorker({ TEMPORAL_ADDRESS: proxy.address });
      const waiting = await eventually('it says why it is not ready', async () => {
        const state = await readiness(worker);
        return state.text.includes('temporal-unavailable') || state.text.includes('Temporal') ? state : undefined;
      });
      expect(waiting).toMatchObject({ status: 503, text: expect.stringContaining(proxy.address) as string });
      await proxy.pass();
      await untilReady(worker);

      const file = join(directory, 'lost');
      const workflowId = await own.start('steps', { count: 12, stepMs: 400, file });
      await eventually('two steps', () => stepsIn(file).length >= 2, undefined, 20);
      await proxy.refuse();
      await eventually('it is not ready', async () => (await readiness(worker)).status === 503);
      await proxy.pass();
      await untilReady(worker);
      expect(await own.end(workflowId)).toMatchObject({ completed: true });
      const steps = stepsIn(file).map(({ step }) => step);
      expect([...new Set(steps)].sort((one, other) => one - other)).toEqual(Array.from({ length: 12 }, (_, n) => n));
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await own.cleanUp();
      await proxy.close();
    }
  });

  it('told to stop before Temporal was ever there ends with 0', async () => {
    const worker = bed.startWorker({ TEMPORAL_ADDRESS: 'localhost:1' });
    await operationsUrl(worker);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });

  it('whose namespace Temporal does not know ends with 1 and says so', async () => {
    const worker = bed.startWorker({ TEMPORAL_NAMESPACE: 'nonesuch' });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.output).toContain('"code":"temporal-refused"');
    expect(worker.output).toContain('correct TEMPORAL_NAMESPACE');
  });
});
