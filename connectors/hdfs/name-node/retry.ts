import pRetry from 'p-retry';
import { GridError } from '../../../grid/errors.ts';
import type { HdfsRetry } from '../port.ts';

/** When and how often calls are repeated: see `HdfsOptions`. */
export interface RetryPolicy {
  readonly retries: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** No repetition begins later than this after the first try. */
  readonly maxTotalMs: number;
  /** Ends the waiting when aborted. */
  readonly closing: AbortSignal;
  readonly onRetry: ((event: HdfsRetry) => void) | undefined;
}

/**
 * Runs `attempt`, again after a delay that doubles with jitter for as long as `mayRepeat` allows it for the error it threw.
 * An error that the closing of the client brought about is given by `onClosing`.
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  call: { readonly operation: string; readonly path: string },
  attempt: () => Promise<T>,
  mayRepeat: (error: GridError) => boolean,
  onClosing: () => GridError,
): Promise<T> {
  const allowed = (error: Error): error is GridError => error instanceof GridError && mayRepeat(error);
  const isClosing = (): boolean => policy.closing.aborted;
  if (isClosing()) throw onClosing();
  try {
    return await pRetry(attempt, {
      retries: policy.retries,
      factor: 2,
      minTimeout: policy.minDelayMs,
      maxTimeout: policy.maxDelayMs,
      maxRetryTime: policy.maxTotalMs,
      randomize: true,
      signal: policy.closing,
      shouldRetry: ({ error, attemptNumber }) => {
        if (!allowed(error)) return false;
        policy.onRetry?.({ ...call, retry: attemptNumber, error });
        return true;
      },
    });
  } catch (error) {
    if (isClosing()) throw onClosing();
    throw error;
  }
}

/** Errors that may be over at the next try, perhaps with another server. */
export function isPassing(error: GridError): boolean {
  return error.code === 'hdfs-unavailable' || error.code === 'hdfs-timeout' || error.code === 'hdfs-safe-mode';
}
