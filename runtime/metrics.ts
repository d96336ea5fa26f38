import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export { Counter, Gauge, Histogram, Registry };

/**
 * A metrics registry of one process, with Node's own metrics (event loop lag, heap, resident memory) in it. Components
 * register theirs on it; names are `powergrid_<component>_<what>_<unit>` and totals end in `_total`.
 */
export function createMetrics(processName: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process: processName });
  collectDefaultMetrics({ register: registry });
  return registry;
}
