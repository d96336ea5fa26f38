import { createKafka } from '../connectors/kafka/client.ts';
import { ensureTopicsEventually } from '../connectors/kafka/topics/topics.ts';
import { startOperationsServer } from '../runtime/http/operations-server.ts';
import { runProcess } from '../runtime/process.ts';
import { projectTopics } from '../streaming/project-topics.ts';
import { followRoutesFile } from '../streaming/routes/routes-file.ts';
import { openSinks } from '../streaming/sinks/open-sinks.ts';
import { startSpeedLayer } from '../streaming/speed-layer.ts';

runProcess('speed', async ({ config, logger, metrics, stopping }) => {
  const routes = await followRoutesFile({
    path: config.ROUTES_FILE,
    reloadEveryMs: config.ROUTES_RELOAD_SECONDS * 1_000,
    logger,
  });
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'powergrid-speed', logger });
  // The consumers wait for their topics; a cluster that refuses to make them is told of, and may be given them by hand.
  const topics = ensureTopicsEventually({ kafka, topics: projectTopics(config), logger }, stopping).catch(
    (error: unknown) => {
      logger.error({ err: error }, 'the Kafka topics could not be made');
    },
  );
  const sinks = await openSinks(config.SPEED_SINKS, { config, routes, logger, metrics });
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
      await topics;
      routes.close();
      await operations.close();
    },
  };
});
