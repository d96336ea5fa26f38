import type { Registry } from '../../../runtime/metrics.ts';
import { createHdfsSinkMetrics, type HdfsSinkMetrics } from './hdfs-sink.ts';

const known = new WeakMap<Registry, HdfsSinkMetrics>();

/** The metrics of writing to HDFS in a registry: the sinks that do share them. */
export function hdfsSinkMetricsOf(registry: Registry): HdfsSinkMetrics {
  let metrics = known.get(registry);
  if (metrics === undefined) {
    metrics = createHdfsSinkMetrics(registry);
    known.set(registry, metrics);
  }
  return metrics;
}
