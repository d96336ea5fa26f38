import { createKafka } from '../connectors/kafka/client.ts';
import { startOperationsServer } from '../runtime/operations-server.ts';
import { runProcess } from '../runtime/process.ts';
import { followRoutesFile } from '../streaming/routes/routes-file.ts';
import { openSinks } from '../streaming/sinks/open-sinks.ts';
import { startSpeedLayer } from '../streaming/speed-layer.ts';

runProcess('speed', async ({ config, logger, metrics }) => {
  const routes = await followRoutesFile({
    path: config.ROUTES_FILE,
    reloadEveryMs: config.ROUTES_RELOAD_SECONDS * 1_000,
    logger,
  });
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'powergrid-speed', logger });
  const sinks = openSinks(config.SPEED_SINKS, { config, routes, logger, metrics });
  const speedLayer = startSpeedLayer({ kafka, sinks, config, logger, metrics });
  const operations = await startOperationsServer({
    host: config.OPERATIONS_HOST,
    port: config.SPEED_METRICS_PORT,
    orAnyFreePort: true,
    metrics,
    logger,
    readiness: () => speedLayer.readiness(),
  });
  return {
    async stop() {
      await speedLayer.stop();
      routes.close();
      await operations.close();
    },
  };
});
