import { setTimeout as sleep } from 'node:timers/promises';

/** Waits `ms`, or until `signal` aborts. Resolves to whether the whole time passed. */
export async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted === true) return false;
  return sleep(ms, true, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (signal?.aborted === true) return false;
    throw error;
  });
}
