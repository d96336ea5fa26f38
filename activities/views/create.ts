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
    readReadings: (work) => withHeartbeats((signal) => readReadings(deps, work, signal)),
    addUpReadings: (work) => withHeartbeats((signal) => addUpReadings(deps, work, signal)),
    publishViews: (request) => withHeartbeats((signal) => publishViews(deps, request, signal)),
    discardBuild: (request) => withHeartbeats((signal) => discardBuild(deps, request, signal)),
  };
}
