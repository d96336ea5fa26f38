import { setTimeout as sleep } from 'node:timers/promises';

/** A timer that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits `ms`, or until `signal` aborts. Resolves to whether the whole time passed. */
export async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  let leftMs = ms;
  for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) {
    if (!(await pauseOnce(LONGEST_TIMER_MS, signal))) return false;
  }
  return pauseOnce(leftMs, signal);
}

async function pauseOnce(ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted === true) return false;
  return sleep(ms, true, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (signal?.aborted === true) return false;
    throw error;
  });
}
