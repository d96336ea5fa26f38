import { openUnorganizedSink } from '../hdfs/open-hdfs-sink.ts';
import { hdfsSinkMetricsOf } from '../hdfs/shared-metrics.ts';
import type { OpenSink } from '../sink.ts';

/** Text is written to HDFS just as readings are. */
export const openSink: OpenSink = (environment) =>
  openUnorganizedSink(environment, hdfsSinkMetricsOf(environment.metrics));
