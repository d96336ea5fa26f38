import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { RetryActivities } from '../../workflows/retry/contract.ts';
import type { Logger } from '../../runtime/logger.ts';
import { findFailedRuns } from './find-failed-runs.ts';

export interface RetryDependencies {
  readonly client: TemporalClient;
  readonly logger: Logger;
}

/** The activities of `retryFailedBackfills`. */
export function createRetryActivities(dependencies: RetryDependencies): RetryActivities {
  return { findFailedRuns: (request) => findFailedRuns(dependencies, request) };
}
