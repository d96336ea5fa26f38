import { LogReader } from '../connectors/kafka/read/log-reader.ts';
import type { Config } from '../runtime/config.ts';
import { listen } from '../runtime/http/listen.ts';
import { addOperationsRoutes } from '../runtime/http/operations-routes.ts';
import type { Logger } from '../runtime/logger.ts';
import { Gauge, type Registry } from '../runtime/metrics.ts';
import { orLate } from '../runtime/waiting/time-limit.ts';
import { readAccessSettings } from './access/access-settings.ts';
import { AuditLog } from './access/audit.ts';
import { addApiRoutes, authorized, createApiServer, type ApiLoad } from './api/api-server.ts';
import { apiRoutes } from './api/routes.ts';
import { EventFeed } from './events/event-feed.ts';
import { addEventRoute, EVENT_ROUTE } from './events/event-route.ts';
import { addPages } from './pages.ts';
import { PipelineWatch } from './pipeline/pipeline-watch.ts';
import { StoreProbes } from './readiness.ts';
import type { Stores } from './stores.ts';

export interface ServingOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly stores: Stores;
}

export interface Serving {
  readonly port: number;
  /** Takes no more requests, ends the streams of events, and answers what is under way. */
  close(): Promise<void>;
}

/** Beside those of /api/events. */
const MAX_CONNECTIONS = 1_000;

/**
 * The serving API, events and pages.
 *
 * @throws GridError `invalid-configuration`, `address-in-use`
 */
export async function startServing({ config, logger, metrics, stores }: ServingOptions): Promise<Serving> {
  const access = await readAccessSettings(config);
  const audit = new AuditLog(logger, {
    put: (id, entry) => stores.documents.insert(config.MONGODB_ANALYSIS_DATABASE, 'audit', { _id: id, ...entry }),
  });
  const load: ApiLoad = { busy: 0 };
  const options = {
    ...{ logger, access, audit, load },
    slotsOfRoute: config.SERVING_MAX_QUERIES,
    requestsPerSecond: config.ACCESS_REQUESTS_PER_SECOND,
    maxBodyBytes: config.ACCESS_MAX_BODY_BYTES,
    maxConnections: MAX_CONNECTIONS + config.SERVING_EVENT_CLIENTS,
  };
  const server = await createApiServer(options);
  const probes = new StoreProbes(stores, config.TOPIC_INGESTION);
  // A connection of its own: a broker answers what comes over one in turn, and this one mostly waits for records.
  const liveLog = new LogReader({ kafka: stores.kafka, timeoutMs: config.SERVING_QUERY_TIMEOUT_MS });
  const feed = new EventFeed({
    log: liveLog,
    topics: { readings: config.TOPIC_INGESTION, windows: config.TOPIC_AGGREGATES, alarms: config.TOPIC_ALARMS },
    keys: config.SERVING_EVENT_KEYS,
    clients: config.SERVING_EVENT_CLIENTS,
    everyMs: 1_000 / config.SERVING_EVENTS_HZ,
    logger,
  });
  const watch = new PipelineWatch(config, stores, probes);
  const routes = apiRoutes({ config, stores, watch });
  addApiRoutes(server, routes, options);
  addEventRoute(server, feed, (request) => authorized(request, access, 'read'));
  addOperationsRoutes(server, { metrics, readiness: () => probes.readiness() });
  await addPages(server, [...routes, EVENT_ROUTE]);
  observe(metrics, feed, load);
  feed.start();
  watch.start();
  const port = await listen(server, config.HTTP_HOST, config.HTTP_PORT);
  logger.info({ url: `http://${config.HTTP_HOST}:${port}/` }, 'the serving API listens');
  return {
    port,
    async close() {
      watch.stop();
      await feed.stop();
      await liveLog.close();
      await server.close();
      await orLate(config.SHUTDOWN_TIMEOUT_MS / 2, audit.settled());
    },
  };
}

function observe(metrics: Registry, feed: EventFeed, load: ApiLoad): void {
  new Gauge({
    name: 'powergrid_serving_event_clients',
    help: 'Clients of /api/events.',
    registers: [metrics],
    collect() {
      this.set(feed.clientCount);
    },
  });
  new Gauge({
    name: 'powergrid_serving_requests_busy',
    help: 'Requests of the API that are being worked on.',
    registers: [metrics],
    collect() {
      this.set(load.busy);
    },
  });
}
