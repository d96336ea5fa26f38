import { createImportActivities } from '../../activities/import/create.ts';
import { createRetryActivities } from '../../activities/retry/create.ts';
import { answeringAddress, TemporalClient } from '../../connectors/temporal/client.ts';
import { installTemporalRuntime } from '../../connectors/temporal/runtime.ts';
import { TemporalWorkers } from '../../connectors/temporal/workers.ts';
import { startOperationsServer } from '../../runtime/operations-server.ts';
import type { ImportActivities } from '../../grid/history/import-activities.ts';
import type { ProcessContext, RunningProcess } from '../../runtime/process.ts';
import { openImportDependencies } from './import-dependencies.ts';
import { applyNightlyEventually, nightlySchedule } from '../../connectors/temporal/configured-schedule.ts';
import { projectWorkflowBundle } from './workflow-bundle.ts';

/** Activities that hold no connection to a source: the keepers of snapshots, publishing, finding failed runs. */
const LIGHT_ACTIVITY_SLOTS = 50;

/**
 * The batch worker: workflows and light activities on the configured task queue, activities that hold a connection to a history
 * database on `<queue>-source`, as many at once as there may be connections. It waits for Temporal, and keeps the nightly schedule.
 */
export async function startBatchWorker({ config, logger, metrics, stopping }: ProcessContext): Promise<RunningProcess> {
  // What is wrong in the configuration ends the process before it takes on any work.
  const nightly = nightlySchedule(config);
  const temporal = new TemporalClient({
    address: await answeringAddress(config.TEMPORAL_ADDRESS, config.TEMPORAL_NAMESPACE),
    namespace: config.TEMPORAL_NAMESPACE,
    identity: `batch@${process.pid}`,
  });
  const opened = await openImportDependencies(config, temporal, logger, metrics);
  const activities = createImportActivities(opened.dependencies);
  const sdk = await installTemporalRuntime({ logger: logger.child({ component: 'temporal' }), processName: 'batch' });
  const taskQueue = config.TEMPORAL_TASK_QUEUE;
  const workers = TemporalWorkers.start({
    addresses: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    logger,
    shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
    queues: [
      {
        taskQueue,
        activities: { ...lightOf(activities), ...createRetryActivities({ client: temporal, logger }) },
        activitySlots: LIGHT_ACTIVITY_SLOTS,
        workflowBundle: await projectWorkflowBundle(config, logger),
      },
      {
        taskQueue: `${taskQueue}-source`,
        activities: sourceBoundOf(activities),
        activitySlots: config.HISTORY_MAX_CONNECTIONS,
      },
    ],
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
  const scheduled = applyNightlyEventually(temporal, nightly, logger, stopping);
  return {
    done: Promise.race([workers.ended, scheduled.then(() => workers.ended)]),
    async stop() {
      await Promise.all([workers.stop(), scheduled.catch(() => undefined)]);
      await Promise.all([opened.close(), temporal.close(), operations.close()]);
    },
  };
}

type SourceBound = 'planTable' | 'bringSplits';

/** Those that hold a connection to a source while they run. */
function sourceBoundOf(activities: ImportActivities): Pick<ImportActivities, SourceBound> {
  return {
    planTable: (request) => activities.planTable(request),
    bringSplits: (stretch) => activities.bringSplits(stretch),
  };
}

function lightOf(activities: ImportActivities): Omit<ImportActivities, SourceBound> {
  return {
    openImport: (request) => activities.openImport(request),
    holdSnapshot: (run) => activities.holdSnapshot(run),
    publishTable: (request) => activities.publishTable(request),
    discardWork: (request) => activities.discardWork(request),
  };
}
