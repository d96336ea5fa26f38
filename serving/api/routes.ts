import type { Config } from '../../runtime/config.ts';
import type { PipelineWatch } from '../pipeline/pipeline-watch.ts';
import type { Stores } from '../stores.ts';
import type { ApiRoute } from './api-route.ts';
import { alarmRoutes } from './routes/alarms.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { jobRoutes } from './routes/jobs.ts';
import { keptRoutes } from './routes/kept.ts';
import { legacyRoutes } from './routes/legacy.ts';
import { pipelineRoute } from './routes/pipeline.ts';
import { queryRoutes } from './routes/queries.ts';
import { readingsRoute } from './routes/readings.ts';
import { sensorRoutes } from './routes/sensors.ts';
import { seriesRoute } from './routes/series.ts';

export interface ApiRoutesOptions {
  readonly config: Config;
  readonly stores: Stores;
  readonly watch: Pick<PipelineWatch, 'state'>;
}

/** Every route of the API but the stream of events. A new one is a file in `routes/` and a line here. */
export function apiRoutes({ config, stores, watch }: ApiRoutesOptions): ApiRoute[] {
  const temporalHost = stores.temporal.address.replace(/:\d+$/, '');
  return [
    ...sensorRoutes(stores),
    seriesRoute(stores.database),
    ...alarmRoutes(stores, config.ALARM_WEBHOOK_URL !== ''),
    readingsRoute(stores, { database: config.MONGODB_DATABASE, topic: config.TOPIC_INGESTION }),
    ...jobRoutes({
      temporal: stores.temporal,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      uiUrl: `http://${temporalHost}:${config.TEMPORAL_UI_PORT}`,
    }),
    ...keptRoutes(stores, config.MONGODB_ANALYSIS_DATABASE, config.MONGODB_LEGACY_DATABASE),
    ...legacyRoutes(stores, config.MONGODB_LEGACY_DATABASE),
    ...queryRoutes(stores, config.MONGODB_ANALYSIS_DATABASE),
    pipelineRoute(watch),
    ...deadLetterRoutes({
      stores,
      topic: config.TOPIC_DLQ,
      readings: config.TOPIC_INGESTION,
      limits: { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000 },
    }),
  ];
}
