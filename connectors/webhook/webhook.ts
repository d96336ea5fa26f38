import { GridError } from '../../grid/errors.ts';
import { firstAbortionOf } from '../../runtime/waiting/abortion.ts';

export interface WebhookOptions {
  readonly url: string;
  /** Sent as the header `Authorization`; empty: none. Never in a message or a log line. */
  readonly authorization: string;
  readonly timeoutMs: number;
}

/** What became of a delivery. `refused`: the same again would be refused again. */
export type WebhookAnswer =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly why: string };

/** Answers that say that the body itself is wrong. */
const REFUSALS: ReadonlySet<number> = new Set([400, 410, 413, 415, 422]);

/** Posts JSON to an address of the operator's. Redirects are not followed: what is sent is for that address alone. */
export class Webhook {
  readonly #options: WebhookOptions;
  /** The address without what may be secret in it. */
  readonly origin: string;

  /** @throws GridError `invalid-configuration` when the header cannot be sent */
  constructor(options: WebhookOptions) {
    this.#options = options;
    this.origin = new URL(options.url).origin;
    try {
      new Headers({ authorization: options.authorization });
    } catch {
      throw new GridError(
        'invalid-configuration',
        'Reading the configuration: ALARM_WEBHOOK_AUTHORIZATION holds characters that no HTTP header may have. Correct it in the environment or in .env.',
      );
    }
  }

  /** Never throws. */
  async post(body: string, signal: AbortSignal): Promise<WebhookAnswer> {
    const { url, authorization, timeoutMs } = this.#options;
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort();
    }, timeoutMs);
    const either = firstAbortionOf([limit.signal, signal]);
    try {
      const reply = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          ...(authorization === '' ? {} : { authorization }),
        },
        signal: either.signal,
      });
      // What it says is of no interest, and may have no end.
      await reply.body?.cancel();
      if (reply.ok) return { kind: 'delivered' };
      const why = `${this.origin} answered ${reply.status}`;
      return { kind: REFUSALS.has(reply.status) ? 'refused' : 'unavailable', why };
    } catch (error) {
      if (limit.signal.aborted)
        return { kind: 'unavailable', why: `${this.origin} gave no answer within ${timeoutMs} ms` };
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      // Its own text could repeat the address.
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no connection';
      return { kind: 'unavailable', why: `${this.origin}: ${code}` };
    } finally {
      clearTimeout(timer);
      either.forget();
    }
  }
}
