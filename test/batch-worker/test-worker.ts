// A worker of the tests' own workflows, as a process that can be killed.
import { installTemporalRuntime } from '../../connectors/temporal/runtime.ts';
import { TemporalWorkers } from '../../connectors/temporal/workers.ts';
import { startOperationsServer } from '../../runtime/http/operations-server.ts';
import { runProcess } from '../../runtime/process.ts';
import { testActivities } from './activities.ts';
import { testBundle } from './bundle.ts';

runProcess('test-worker', async ({ config, logger, metrics }) => {
  const sdk = await installTemporalRuntime({ logger, processName: 'test-worker' });
  const workers = TemporalWorkers.start({
    addresses: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    logger,
    shutdownTimeoutMs: config.SHUTDOWN_TIMEOUT_MS,
    queues: [
      {
        taskQueue: config.TEMPORAL_TASK_QUEUE,
        activities: testActivities,
        activitySlots: 20,
        workflowBundle: await testBundle(logger),
      },
    ],
  });
  const operations = await startOperationsServer({
    host: '127.0.0.1',
    port: config.BATCH_METRICS_PORT,
    metrics: {
      contentType: metrics.contentType,
      metrics: async () => (await metrics.metrics()) + (await sdk.metrics()),
    },
    readiness: () => workers.readiness(),
    logger,
  });
  return {
    done: workers.ended,
    async stop() {
      await workers.stop();
      await operations.close();
    },
  };
});
