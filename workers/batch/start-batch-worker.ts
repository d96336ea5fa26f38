import { answeringAddress, TemporalClient } from '../../connectors/temporal/client.ts';
import { installTemporalRuntime } from '../../connectors/temporal/runtime.ts';
import { applyEventually, configuredSchedule } from '../../connectors/temporal/configured-schedule.ts';
import { TemporalWorkers } from '../../connectors/temporal/workers.ts';
import { startOperationsServer } from '../../runtime/http/operations-server.ts';
import type { ProcessContext, RunningProcess } from '../../runtime/process.ts';
import { JOBS } from '../../workflows/registry.ts';
import { jobActivities } from './job-activities.ts';
import { workerQueues } from './queues.ts';
import { openServices } from './services.ts';
import { projectWorkflowBundle } from './workflow-bundle.ts';

/**
 * The batch worker: does all jobs of the registry, on the task queues that their contracts name. It waits for Temporal, and keeps the
 * schedules.
 */
export async function startBatchWorker({ config, logger, metrics, stopping }: ProcessContext): Promise<RunningProcess> {
  // What is wrong in the configuration ends the process before it takes on any work.
  const schedules = JOBS.flatMap(({ contract: { schedule, ...job } }) =>
    schedule === undefined ? [] : [configuredSchedule({ ...job, schedule }, config)],
  );
  const temporal = new TemporalClient({
    address: await answeringAddress(config.TEMPORAL_ADDRESS, config.TEMPORAL_NAMESPACE),
    namespace: config.TEMPORAL_NAMESPACE,
    identity: `batch@${process.pid}`,
  });
  const services = openServices(config, temporal, logger, metrics);
  const activities = await jobActivities(services);
  const sdk = await installTemporalRuntime({ logger: logger.child({ component: 'temporal' }), processName: 'batch' });
  const workers = TemporalWorkers.start({
    addresses: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    logger,
    shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
    queues: workerQueues(JOBS, activities, config, await projectWorkflowBundle(config, logger)),
  });
  const operations = await startOperationsServer({
    host: config.OPERATIONS_HOST,
    port: config.BATCH_METRICS_PORT,
    orAnyFreePort: true,
    metrics: {
      contentType: metrics.contentType,
      metrics: async () => (await metrics.metrics()) + (await sdk.metrics()),
    },
    readiness: () => workers.readiness(),
    logger,
  });
  const scheduled = Promise.all(schedules.map((schedule) => applyEventually(temporal, schedule, logger, stopping)));
  return {
    done: Promise.race([workers.ended, scheduled.then(() => workers.ended)]),
    async stop() {
      await Promise.all([workers.stop(), scheduled.catch(() => undefined)]);
      await Promise.all([services.close(), temporal.close(), operations.close()]);
    },
  };
}
