import { answeringAddress, TemporalClient } from '../../../connectors/temporal/client.ts';
import type { Config } from '../../../runtime/config.ts';

const CALL_TIMEOUT_MS = 5_000;

/** Temporal, as this `npm start` talks to it. */
export async function openTemporal(
  config: Pick<Config, 'TEMPORAL_ADDRESS' | 'TEMPORAL_NAMESPACE'>,
): Promise<TemporalClient> {
  return new TemporalClient({
    address: await answeringAddress(config.TEMPORAL_ADDRESS, config.TEMPORAL_NAMESPACE),
    namespace: config.TEMPORAL_NAMESPACE,
    identity: `npm start ${process.pid}`,
    callTimeoutMs: CALL_TIMEOUT_MS,
  });
}
