import { MongodbConnection } from '../../../connectors/mongodb/connection.ts';
import type { OpenSink } from '../sink.ts';
import { createMongodbSink } from './mongodb-sink.ts';

/** The document sink as the configuration describes it. */
export const openSink: OpenSink = (environment, limits) => {
  const { config, routes, logger, metrics } = environment;
  const connection = new MongodbConnection({
    url: config.MONGODB_URL,
    database: config.MONGODB_DATABASE,
    applicationName: 'powergrid-documents',
    logger: logger.child({ sink: 'mongodb' }),
  });
  return {
    name: 'mongodb',
    topics: [config.TOPIC_INGESTION],
    createProcessor: createMongodbSink({ connection, routes, limits, metrics }),
    close: () => connection.close(),
  };
};
