import type { OpenSink } from '../sink.ts';
import { openHdfsSink } from './open-hdfs-sink.ts';
import { hdfsSinkMetricsOf } from './shared-metrics.ts';

export const openSink: OpenSink = (environment, limits) =>
  openHdfsSink(environment, hdfsSinkMetricsOf(environment.metrics), limits);
