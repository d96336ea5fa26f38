import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { JobProcess, type JobResult } from './job-process.ts';
import { TemporalBed } from './temporal-bed.ts';

const bed = new TemporalBed();
const run = (...args: string[]): Promise<JobResult> => JobProcess.run(args, bed.environment());
beforeAll(async () => {
  await bed.startReadyWorker();
});
afterAll(() => bed.cleanUp());

describe('a job', () => {
  it('that completes ends with 0, its result the last line of standard output', async () => {
    const { code, json, stderr } = await run('importSqlHistory', '--input', '{"tables":["public.readings"]}');
    expect([code, json]).toEqual([
      0,
      expect.objectContaining({ rows: 1_234_567, input: { tables: ['public.readings'] } }),
    ]);
    expect(stderr).toContain('Imported 2 tables of PostgreSQL 18.1, database history: 1,234,567 rows in 0:01:01');
  });

  it('that fails ends with 1, says what was left undone and why, and gives code and message as JSON', async () => {
    const { code, json, stderr } = await run(
      'importSqlHistory',
      '--input',
      '{"end":"parked"}',
      '--id',
      `${bed.taskQueue}-x`,
    );
    expect(code).toBe(1);
    expect(json).toMatchObject({
      status: 'failed',
      code: 'splits-parked',
      message: '2 splits of 1 table were left undone.',
      workflowId: `${bed.taskQueue}-x`,
      details: { runId: '2026-03-01-0123456789ab' },
    });
    expect(stderr).toMatch(/left undone +of it +why/);
    expect(stderr).toMatch(/public\.readings +splits 3, 4 +source-unavailable: It hung up\./);
  });

  it('shows its progress while it runs, and is cancelled by Ctrl-C', async () => {
    const job = new JobProcess(['importSqlHistory', '--input', '{"seconds":60}'], bed.environment());
    const line =
      'copying: 1 of 4 tables done, 1 parked, 6 of 12 splits, 1,000,000 of about 2,000,000 rows (50 %), 43 MB, 2.0 MB/s, 0:00:21 left';
    await eventually('progress', () => job.stderr.includes(line));
    job.interrupt();
    const { code, json } = await job.result();
    expect([code, json]).toEqual([1, expect.objectContaining({ status: 'cancelled', code: 'cancelled' })]);
  });

  it('goes on by itself after a second Ctrl-C', async () => {
    const own = new TemporalBed();
    try {
      // Nobody works on its queue, so its cancelling does not come to an end.
      const job = new JobProcess(['importSqlHistory'], own.environment());
      await eventually('it says that nobody works on it', () => job.stderr.includes('npm run worker:batch'));
      job.interrupt();
      await eventually('it cancels', () => job.stderr.includes('press Ctrl-C again'));
      await sleep(1_600);
      job.interrupt();
      const { code, json } = await job.result();
      expect([code, json]).toEqual([130, expect.objectContaining({ status: 'running' })]);
      const { workflowId } = json as { workflowId: string };
      await own.temporal.sdk.workflow.getHandle(workflowId).terminate();
    } finally {
      await own.cleanUp();
    }
  });

  it('started detached is followed, shown, listed and cancelled later', async () => {
    const id = `${bed.taskQueue}-detached`;
    const started = await run('importSqlHistory', '--input', '{"seconds":100}', '--id', id, '--detach');
    expect([started.code, started.json]).toEqual([0, expect.objectContaining({ status: 'started', workflowId: id })]);

    const again = await run('importSqlHistory', '--id', id);
    expect([again.code, again.json]).toEqual([1, expect.objectContaining({ code: 'temporal-refused' })]);
    expect(again.stderr).toContain(`npm run job -- follow ${id}`);

    const shown = await run('show', id);
    expect(shown.json).toMatchObject({
      status: 'running',
      workflowType: 'importSqlHistory',
      progress: { phase: 'copying' },
    });
    expect(shown.stderr).toContain('input {"seconds":100}');

    await eventually('it is listed', async () => {
      const { stdout } = await run('list', '--status', 'running');
      return new RegExp(`running +\\S+ +0:\\d\\d:\\d\\d +importSqlHistory +${id}`).test(stdout);
    });
    const cancelled = await run('cancel', id);
    expect([cancelled.code, cancelled.json]).toEqual([0, expect.objectContaining({ status: 'cancelled' })]);
    expect((await run('cancel', id)).stderr).toContain('it is not running, it is cancelled');
    expect((await run('follow', id)).json).toMatchObject({ status: 'cancelled' });
  });
});

it('retry starts retryFailedBackfills, and ends with 1 when a run has failed again', async () => {
  const dry = await run('retry', '--dry-run', '--since', '2026-03-01');
  expect([dry.code, dry.json]).toEqual([0, expect.objectContaining({ dryRun: true })]);
  const { code, stderr } = await run('retry', '--workflow-type', 'importSqlHistory');
  expect(code).toBe(1);
  expect(stderr).toMatch(/nightly-1 +failed +It hung up again\./);
});

describe('a wrong command ends with 2 and', () => {
  it('says where the JSON is wrong', async () => {
    const { code, stderr, json } = await run('importSqlHistory', '--input', '{"tables":["a",]}');
    expect(code).toBe(2);
    expect(stderr).toContain('line 1, column 16');
    expect(json).toMatchObject({ status: 'failed', code: 'invalid-input' });
  });

  it('names the workflow that was most likely meant, and all others', async () => {
    const { code, stderr } = await run('importSqlHistroy');
    expect(code).toBe(2);
    expect(stderr).toMatch(/Did you mean importSqlHistory\? .*retryFailedBackfills/);
  });

  it.each([[['list', '--status', 'lost']], [['importSqlHistory', '--nonsense']], [[]]])(
    'tells what is wrong with %j',
    async (args) => {
      const { code, stderr } = await run(...args);
      expect(code).toBe(2);
      expect(stderr.length).toBeGreaterThan(20);
    },
  );
});

it('asks Temporal directly, whatever proxy is set for the Web', async () => {
  const proxy = 'http://127.0.0.1:9';
  const environment = { http_proxy: proxy, https_proxy: proxy, grpc_proxy: proxy, no_proxy: '' };
  const { code, stderr } = await JobProcess.run(['list'], { ...bed.environment(), ...environment });
  expect([code, stderr]).toEqual([0, '']);
});

it('without Temporal ends with 1 and says where it looked', async () => {
  const { code, json, stderr } = await JobProcess.run(['importSqlHistory'], bed.environment('localhost:1'));
  expect(code).toBe(1);
  expect(json).toMatchObject({ status: 'failed', code: 'temporal-unavailable' });
  expect(stderr).toMatch(/Starting importSqlHistory \(Temporal at localhost:1, .*ECONNREFUSED.*TEMPORAL_ADDRESS/);
});
