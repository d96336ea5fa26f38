import { setTimeout as delay } from 'node:timers/promises';

/** Long: a machine with much else to do must not fail a test, and what never comes fails it all the same. */
const EVENTUALLY_MS = 180_000;

/** Asks again until `check` returns something other than undefined or false; its last error, or `what`, when time is up. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = EVENTUALLY_MS,
  everyMs = 200,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await check();
      if (result !== undefined && result !== false) return result;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: lastError });
    await delay(everyMs);
  }
}
