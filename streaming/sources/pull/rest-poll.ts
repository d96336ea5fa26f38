import { asGridError, GridError } from '../../../grid/errors.ts';
import { decodeDeclared } from '../../../runtime/declared-text.ts';
import { firstAbortionOf } from '../../../runtime/waiting/abortion.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import type { PullSourceConfig } from './pull-file.ts';

const FIRST_RETRY_DELAY_MS = 500;
const MAX_RETRY_DELAY_MS = 30_000;

/**
 * Asks a source once, trying again where that can help, with growing pauses; a `Retry-After` is waited for. URL and headers
 * may hold keys, so no message names them.
 *
 * @returns the reply's text, without a byte order mark.
 * @throws GridError `source-unavailable` when it did not answer or answered 408, 429 or 5xx to the last; `source-refused` for
 *   another status; `malformed-source-data` for a reply that is too large or no text of its encoding; `shutting-down`.
 */
export async function poll(config: PullSourceConfig, signal: AbortSignal): Promise<string> {
  const intervalMs = config.intervalSeconds * 1_000;
  const backoff = new Backoff({
    firstMs: Math.min(FIRST_RETRY_DELAY_MS, intervalMs),
    longestMs: MAX_RETRY_DELAY_MS,
    jitter: 0.5,
  });
  for (let retriesLeft = config.retries; ; retriesLeft -= 1) {
    try {
      return await askOnce(config, signal);
    } catch (error) {
      const known = asGridError(error, `Polling ${config.name}`);
      // Only those: a proxy's block page or a wrong key do not get better within seconds.
      if (!signal.aborted && (!known.retryable || retriesLeft <= 0)) throw known;
      const askedForMs = Math.min(Number(known.details?.['retryAfterMs'] ?? 0), intervalMs);
      if (!(await pause(Math.max(askedForMs, backoff.next()), signal))) {
        throw new GridError('shutting-down', `Polling ${config.name}: stopped.`);
      }
    }
  }
}

async function askOnce(config: PullSourceConfig, signal: AbortSignal): Promise<string> {
  const timeoutMs = config.timeoutSeconds * 1_000;
  const attempt = `Polling ${config.name} at ${new URL(config.url).host}`;
  const limit = AbortSignal.timeout(timeoutMs);
  const abortion = firstAbortionOf([signal, limit]);
  let response: Response;
  try {
    response = await fetch(config.url, {
      method: config.method,
      headers: config.headers,
      ...(config.body === undefined ? {} : { body: config.body }),
      signal: abortion.signal,
    });
    if (response.ok) return await readText(config, response, attempt);
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof GridError) throw error;
    const what = limit.aborted ? `no answer within ${timeoutMs} ms` : reason(error);
    throw new GridError('source-unavailable', `${attempt}: ${what}. It is tried again.`, { cause: error });
  } finally {
    abortion.forget();
  }
  const { status } = response;
  const answer = `${attempt}: it answered ${status} ${response.statusText}`.trimEnd();
  if (status === 408 || status === 429 || status >= 500) {
    const waitMs = status === 429 || status === 503 ? retryAfterMs(response.headers.get('retry-after')) : undefined;
    throw new GridError('source-unavailable', `${answer}. It is tried again.`, { details: { retryAfterMs: waitMs } });
  }
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
  const decoded = decodeDeclared(Buffer.concat(chunks), response.headers.get('content-type'));
  if (decoded.ok) return decoded.text;
  throw new GridError(
    'malformed-source-data',
    `${attempt}: the reply is no text: ${decoded.fault}. The source has to declare the charset that it sends, or send UTF-8.`,
  );
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
