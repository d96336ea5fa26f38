import { proxyActivities } from '@temporalio/workflow';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import { fetchContract, type FetchActivities, type FetchProgress, type FetchResult } from './contract.ts';
import { fetchText } from './text.ts';

const { fetchFile } = proxyActivities<FetchActivities>({
  startToCloseTimeout: '1 day',
  heartbeatTimeout: 20_000,
  retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/**
 * Gives a legacy file back, byte for byte, wherever it lies: by itself, or in a pack.
 *
 * @param given one object, see its contract
 * @throws ApplicationFailure, final: `invalid-input`, `legacy-not-found`, `legacy-conflict`
 */
export async function fetchLegacyFile(given?: unknown): Promise<FetchResult> {
  const input = jobInput(fetchContract, given);
  let progress: FetchProgress = { file: input.file, to: input.to ?? '', done: false };
  const shown = new JobProgress(fetchText, () => progress);
  shown.show();
  const result = await fetchFile(input);
  progress = { ...progress, to: result.to, done: true };
  shown.show();
  return result;
}
