/**
 * A speed-layer worker with the HDFS sinks only, which kills itself at a point of the commit protocol: `CRASH_AT` is
 * `<point>:<n>`, the n-th time that the point is passed. Otherwise it is wired like the real worker.
 */
import { createKafka } from '../../connectors/kafka/client.ts';
import { runProcess } from '../../runtime/process.ts';
import { followRoutesFile } from '../../streaming/routes/routes-file.ts';
import { openSinks } from '../../streaming/sinks/open-sinks.ts';
import { startSpeedLayer } from '../../streaming/speed-layer.ts';

const [crashPoint, crashCount = '1'] = (process.env['CRASH_AT'] ?? '').split(':');
let passed = 0;

runProcess('speed', async ({ config, logger, metrics }) => {
  const routes = await followRoutesFile({ path: config.ROUTES_FILE, reloadEveryMs: 1_000, logger });
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'crash-test', logger });
  const sinks = await openSinks(config.SPEED_SINKS, {
    config,
    routes,
    logger,
    metrics,
    onCommitPoint(point) {
      if (point === crashPoint && ++passed === Number(crashCount)) process.kill(process.pid, 'SIGKILL');
    },
  });
  const speedLayer = startSpeedLayer({ kafka, sinks, config, logger, metrics });
  return {
    async stop() {
      await speedLayer.stop();
      routes.close();
    },
  };
});
