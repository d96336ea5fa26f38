import type { ViewsActivities } from '../../workflows/views/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { addUpReadings } from './add-up.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { discardBuild } from './discard-build.ts';
import { planViews } from './plan-views.ts';
import { publishViews } from './publish-views.ts';
import { readReadings } from './read-readings.ts';

/** The activities of `buildBatchViews`, each with what it needs. */
export function createViewsActivities(deps: ViewsDependencies): ViewsActivities {
  return {
    planViews: (request) => withHeartbeats((signal) => planViews(deps, request, signal)),
    readReadings: (run) => withHeartbeats((signal) => readReadings(deps, run, signal)),
    addUpReadings: (run) => withHeartbeats((signal) => addUpReadings(deps, run, signal)),
    publishViews: (request) => withHeartbeats((signal) => publishViews(deps, request, signal)),
    discardBuild: (request) => withHeartbeats((signal) => discardBuild(deps, request, signal)),
  };
}
