/** Why everything is to stop. */
export type StopReason =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'time' }
  /** Nobody reads the output any more. */
  | { readonly kind: 'output-closed' };

/**
 * Within this time a repeated signal is the same request: a terminal sends Ctrl-C to all its processes, and npm passes on to its
 * child what that child has received already.
 */
const SAME_REQUEST_MS = 700;

/** A request to stop, which may become urgent: running → `stopping` aborts → `hurrying` aborts. */
export class StopRequest {
  readonly #stopping = new AbortController();
  readonly #hurrying = new AbortController();
  #requestedAtMs = 0;
  #reason: StopReason | undefined;

  /** Aborts at the first request. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborts when the user has asked a second time. */
  get hurrying(): AbortSignal {
    return this.#hurrying.signal;
  }

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  request(reason: StopReason): void {
    const now = performance.now();
    if (this.#reason === undefined) {
      this.#reason = reason;
      this.#requestedAtMs = now;
      this.#stopping.abort();
    } else if (reason.kind === 'signal' && now - this.#requestedAtMs > SAME_REQUEST_MS) {
      this.#hurrying.abort();
    }
  }

  /** Takes Ctrl-C, SIGTERM and the end of the terminal as requests, from now until the process ends. */
  listen(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        this.request({ kind: 'signal', signal });
      });
    }
  }
}
