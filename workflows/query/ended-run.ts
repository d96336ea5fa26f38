import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { failureReason } from '../job/failure-reason.ts';
import type { Ended } from './answer.ts';

/**
 * Does what a run is for, and tells its end whatever becomes of it, also when it is cancelled.
 *
 * @param end clears away what a run without an answer has left, and completes the audit's entry
 */
export async function untilEnded<T extends { readonly rows: number }>(
  work: () => Promise<T>,
  end: (ended: Ended) => Promise<void>,
): Promise<T> {
  let ended: Ended = { outcome: 'failed' };
  try {
    const result = await work();
    ended = { outcome: 'completed', rows: result.rows };
    return result;
  } catch (error) {
    ended = isCancellation(error)
      ? { outcome: 'cancelled' }
      : { outcome: 'failed', reason: failureReason(error).message };
    throw error;
  } finally {
    await CancellationScope.nonCancellable(() => end(ended));
  }
}
