import type { ReplayActivities } from '../../workflows/replay/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { replayContent, type ReplayDependencies } from './replay-content.ts';
import { selectTelemetry } from './select-telemetry.ts';

/** The activities of `replayLegacyTelemetry`, each with what it needs. */
export function createReplayActivities(deps: ReplayDependencies): ReplayActivities {
  return {
    selectTelemetry: (input) => withHeartbeats(() => selectTelemetry(deps, input)),
    replayContent: (request) => withHeartbeats((signal) => replayContent(deps, request, signal)),
  };
}
