import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { isPolled } from '../../connectors/temporal/pollers.ts';
import { describeSchedule } from '../../connectors/temporal/schedule.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { JobProcess } from './job-process.ts';
import { operationsUrl, readiness, untilReady } from './temporal-bed.ts';

const config = loadConfig();
// A namespace of its own, since the schedule has one name in each.
const namespace = `test-${randomUUID().slice(0, 8)}`;
const address = config.TEMPORAL_ADDRESS[0] ?? '';
const temporal = new TemporalClient({ address, namespace, identity: 'test' });
const workers: WorkerProcess[] = [];

function start(extra: Readonly<Record<string, string>> = {}): WorkerProcess {
  const worker = new WorkerProcess('npm:worker:batch', {
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_TASK_QUEUE: 'test',
    BATCH_METRICS_PORT: '0',
    HISTORY_MAX_CONNECTIONS: '2',
    ...extra,
  });
  workers.push(worker);
  return worker;
}

beforeAll(async () => {
  await temporal.call('Making a namespace', ({ workflowService }) =>
    workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } }),
  );
});
afterAll(async () => {
  for (const worker of workers) if (worker.isRunning) await worker.kill();
  await temporal.call('Removing the namespace', ({ connection }) =>
    connection.operatorService.deleteNamespace({ namespace }),
  );
  await temporal.close();
});

describe('npm run worker:batch', () => {
  it('works on both task queues, keeps the nightly schedule, and ends with 0 when it is told to stop', async () => {
    const worker = start();
    await untilReady(worker);
    // The server learns of a worker by its first poll, which is on its way when the worker is ready.
    await eventually('the task queue is polled', async () => (await isPolled(temporal, 'test')) || undefined);
    await eventually('the schedule is there', () => describeSchedule(temporal, 'nightly-sql-import'));
    const page = await (await fetch(`${await operationsUrl(worker)}/metrics`)).text();
    expect(page).toMatch(
      /temporal_worker_task_slots_available\{.*task_queue="test-source",worker_type="ActivityWorker".*\} 2/,
    );
    expect(page).toContain('# TYPE powergrid_import_rows_total counter');
    expect(await readiness(worker)).toMatchObject({ status: 200 });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });

    const environment = { TEMPORAL_NAMESPACE: namespace, TEMPORAL_TASK_QUEUE: 'test' };
    const paused = await JobProcess.run(['schedule', 'pause'], environment);
    expect(paused.stderr).toContain('nightly-sql-import: paused (paused from the command line), 0 2 * * * in UTC');
    const applied = await JobProcess.run(['schedule', 'apply'], environment);
    expect(applied.stderr).toContain('The schedule was as configured.');
    expect(applied.json).toMatchObject({ state: 'paused', cron: '0 2 * * *', input: { mode: 'merge' } });
  });

  it.each([
    ['NIGHTLY_IMPORT_INPUT', '{"splitRows":-1}', 'splitRows'],
    ['NIGHTLY_IMPORT_CRON', '0 99 * * *', 'Hour'],
    ['HIVE_URL', 'http://localhost', 'hive2'],
  ])('ends with 1 and one sentence when %s is %s', async (name, value, told) => {
    const worker = start({ [name]: value });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
    expect(worker.output).toContain(name);
    expect(worker.output).toContain(told);
  });
});
