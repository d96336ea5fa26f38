import type { FetchActivities } from '../../workflows/fetch/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import { fetchFile, type FetchDependencies } from './fetch-file.ts';

/** The activity of `fetchLegacyFile`, with what it needs. */
export function createFetchActivities(deps: FetchDependencies): FetchActivities {
  return { fetchFile: (input) => withHeartbeats((signal) => fetchFile(deps, input, signal)) };
}
