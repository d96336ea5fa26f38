import { RedisConnection } from '../../../connectors/redis/connection.ts';
import { NewestValues } from '../../../connectors/redis/newest-values.ts';
import type { OpenSink } from '../sink.ts';
import { createRedisSink } from './redis-sink.ts';

/** The newest-value sink as the configuration describes it. */
export const openSink: OpenSink = (environment, limits) => {
  const { config, routes, logger, metrics } = environment;
  const connection = new RedisConnection({
    url: config.REDIS_URL,
    clientName: 'powergrid-newest-values',
    logger: logger.child({ sink: 'redis' }),
  });
  return {
    name: 'redis',
    topics: [config.TOPIC_INGESTION],
    createProcessor: createRedisSink({ values: new NewestValues(connection), routes, limits, metrics }),
    close: () => connection.close(),
  };
};
