import { GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { BackoffLimits } from '../../../runtime/waiting/backoff.ts';
import { failureText } from '../failure.ts';

/** Delays between tries of whatever a producer asks of Kafka. */
export const PRODUCER_RETRY_DELAYS: BackoffLimits = { firstMs: 100, longestMs: 1_000 };

/** Since when, and why, Kafka does not acknowledge. */
export interface ProducerTrouble {
  readonly sinceMs: number;
  readonly message: string;
}

/**
 * Knows whether Kafka acknowledges, and logs each change of it once. Whoever reports a failure goes on trying, or sees to it
 * that somebody does, until something succeeds: senders may be turned away meanwhile, so success must not depend on them.
 */
export class ProducerHealth {
  readonly #logger: Logger;
  #trouble: ProducerTrouble | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get trouble(): ProducerTrouble | undefined {
    return this.#trouble;
  }

  failed(error: unknown): void {
    if (this.#trouble !== undefined) return;
    // Of our own errors the cause says what happened; the rest is advice for whoever sees them alone.
    const message = failureText(error instanceof GridError ? (error.cause ?? error) : error);
    this.#trouble = { sinceMs: Date.now(), message };
    this.#logger.warn(`Kafka does not acknowledge: ${message}. It is tried again until it does.`);
  }

  recovered(): void {
    if (this.#trouble === undefined) return;
    const durationMs = Date.now() - this.#trouble.sinceMs;
    this.#trouble = undefined;
    this.#logger.info({ durationMs }, 'Kafka acknowledges again');
  }
}
