import type { CompactionActivities } from '../../workflows/compaction/contract.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { refreshReadings } from '../readings/refresh-readings.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { compactDays } from './compact-days.ts';
import { discardCompaction } from './discard-compaction.ts';
import { planCompaction } from './plan-compaction.ts';
import { publishCompaction } from './publish-compaction.ts';
import { readCompaction } from './read-compaction.ts';

/** The activities of `compactReadings`, each with what it needs. */
export function createCompactionActivities(deps: ReadingsDependencies): CompactionActivities {
  return {
    planCompaction: (run) => withHeartbeats((signal) => planCompaction(deps, run, signal)),
    readCompaction: (run) => withHeartbeats((signal) => readCompaction(deps, run, signal)),
    compactDays: (request) => withHeartbeats((signal) => compactDays(deps, request, signal)),
    publishCompaction: (request) => withHeartbeats((signal) => publishCompaction(deps, request, signal)),
    discardCompaction: (request) => withHeartbeats((signal) => discardCompaction(deps, request, signal)),
    refreshReadings: () => withHeartbeats((signal) => refreshReadings(deps, signal)),
  };
}
