import type { DecodeLimits } from '../../grid/envelope.ts';
import type { SinkName } from '../../runtime/config.ts';
import { createHdfsSinkMetrics } from './hdfs/hdfs-sink.ts';
import { openHdfsSink, openUnorganizedSink } from './hdfs/open-hdfs-sink.ts';
import { openMongodbSink } from './mongodb/open-mongodb-sink.ts';
import { openRedisSink } from './redis/open-redis-sink.ts';
import { openRouterSink } from './router/open-router-sink.ts';
import type { Sink, SinkEnvironment } from './sink.ts';

/** Makes the named sinks with their connections; none waits here for its store. */
export function openSinks(names: readonly SinkName[], environment: SinkEnvironment): Sink[] {
  const { config } = environment;
  const limits: DecodeLimits = {
    maxBytes: config.ENVELOPE_MAX_BYTES,
    maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000,
    stored: true,
  };
  const hdfsMetrics = createHdfsSinkMetrics(environment.metrics);
  const open: Record<SinkName, () => Sink> = {
    hdfs: () => openHdfsSink(environment, hdfsMetrics, limits),
    redis: () => openRedisSink(environment, limits),
    mongodb: () => openMongodbSink(environment, limits),
    router: () => openRouterSink(environment, limits),
    unorganized: () => openUnorganizedSink(environment, hdfsMetrics),
  };
  return [...new Set(names)].map((name) => open[name]());
}
