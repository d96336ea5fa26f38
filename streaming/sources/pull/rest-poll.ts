import { setTimeout as sleep } from 'node:timers/promises';
import pRetry, { AbortError } from 'p-retry';
import { asGridError, GridError } from '../../../grid/errors.ts';
import type { PullSourceConfig } from './pull-file.ts';

const FIRST_RETRY_DELAY_MS = 500;
const MAX_RETRY_DELAY_MS = 30_000;

class RetryLater extends GridError {
  readonly waitMs: number;

  constructor(message: string, waitMs: number) {
    super('source-unavailable', message);
    this.waitMs = waitMs;
  }
}

/**
 * Asks a source once, trying again where that can help, with growing pauses; a `Retry-After` is waited for. URL and headers
 * may hold keys, so no message names them.
 *
 * @returns the reply's text.
 * @throws GridError `source-unavailable` when it did not answer or answered 408, 429 or 5xx to the last; `source-refused` for
 *   another status; `malformed-source-data` for a reply that is too large; `shutting-down`.
 */
export async function poll(config: PullSourceConfig, signal: AbortSignal): Promise<string> {
  try {
    return await pRetry(() => askOnce(config, signal), {
      retries: config.retries,
      minTimeout: Math.min(FIRST_RETRY_DELAY_MS, config.intervalSeconds * 1_000),
      maxTimeout: MAX_RETRY_DELAY_MS,
      randomize: true,
      signal,
      // Only those: a proxy's block page or a wrong key do not get better within seconds.
      shouldRetry: ({ error }) => error instanceof GridError && error.retryable,
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (error instanceof RetryLater && retriesLeft > 0) await sleep(error.waitMs, undefined, { signal });
      },
    });
  } catch (error) {
    if (signal.aborted) throw new GridError('shutting-down', `Polling ${config.name}: stopped.`);
    throw asGridError(error instanceof AbortError ? error.originalError : error, `Polling ${config.name}`);
  }
}

async function askOnce(config: PullSourceConfig, signal: AbortSignal): Promise<string> {
  const timeoutMs = config.timeoutSeconds * 1_000;
  const attempt = `Polling ${config.name} at ${new URL(config.url).host}`;
  // Not AbortSignal.any over AbortSignal.timeout: in Node 20 the two can be collected as garbage before the time is up.
  const abort = new AbortController();
  const stop = () => {
    abort.abort();
  };
  const late = new Error(`no answer within ${timeoutMs} ms`);
  const timer = setTimeout(() => {
    abort.abort(late);
  }, timeoutMs);
  signal.addEventListener('abort', stop);
  let response: Response;
  try {
    response = await fetch(config.url, {
      method: config.method,
      headers: config.headers,
      ...(config.body === undefined ? {} : { body: config.body }),
      signal: abort.signal,
    });
    if (response.ok) return await readText(config, response, attempt);
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof GridError) throw error;
    const what = abort.signal.reason === late ? late.message : reason(error);
    throw new GridError('source-unavailable', `${attempt}: ${what}. It is tried again.`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
  const { status } = response;
  const answer = `${attempt}: it answered ${status} ${response.statusText}`.trimEnd();
  if (status === 429 || status === 503) {
    const waitMs = Math.min(retryAfterMs(response.headers.get('retry-after')) ?? 0, config.intervalSeconds * 1_000);
    throw new RetryLater(`${answer}. It is tried again.`, waitMs);
  }
  if (status === 408 || status >= 500) throw new GridError('source-unavailable', `${answer}. It is tried again.`);
  throw new GridError(
    'source-refused',
    `${answer}. Check its URL, parameters and key in PULL_SOURCES_FILE; the next poll tries again.`,
  );
}

async function readText(config: PullSourceConfig, response: Response, attempt: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > config.maxReplyBytes) {
      throw new GridError(
        'malformed-source-data',
        `${attempt}: the reply has more than ${config.maxReplyBytes} bytes. Ask for less, or raise maxReplyBytes.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Retry-After as RFC 9110 has it: seconds or a date. */
export function retryAfterMs(header: string | null, nowMs = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** What fetch means; its own message is "fetch failed", and the URL in others may hold a key. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'unknown failure';
}
