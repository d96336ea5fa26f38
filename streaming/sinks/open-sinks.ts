import type { DecodeLimits } from '../../grid/envelope.ts';
import type { SinkName } from '../../grid/sinks.ts';
import type { OpenSink, Sink, SinkEnvironment } from './sink.ts';

/** Makes the named sinks with their connections, and loads the drivers of these alone; none waits here for its store. */
export function openSinks(names: readonly SinkName[], environment: SinkEnvironment): Promise<Sink[]> {
  const { config } = environment;
  const limits: DecodeLimits = {
    maxBytes: config.ENVELOPE_MAX_BYTES,
    maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000,
    stored: true,
  };
  return Promise.all([...new Set(names)].map(async (name) => (await openerOf(name))(environment, limits)));
}

/** How a sink is opened: by the module of its folder that is for that. */
export async function openerOf(name: SinkName): Promise<OpenSink> {
  const module = (await import(`./${name}/open-sink.ts`)) as { readonly openSink: OpenSink };
  return module.openSink;
}
