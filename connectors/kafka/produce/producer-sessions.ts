import type { Kafka } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { PRODUCER_RETRY_DELAYS, type ProducerHealth } from './producer-health.ts';
import { ProducerSession } from './producer-session.ts';

export interface ProducerSessionsOptions {
  readonly kafka: Kafka;
  readonly health: ProducerHealth;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Aborts when nothing is to be tried any more. */
  readonly signal: AbortSignal;
}

/** The session with which new batches are begun; opens another one when it was retired. */
export class ProducerSessions {
  readonly #options: ProducerSessionsOptions;
  #current: ProducerSession | undefined;
  #opening: Promise<ProducerSession> | undefined;

  constructor(options: ProducerSessionsOptions) {
    this.#options = options;
  }

  /**
   * Waits for Kafka as long as it takes.
   *
   * @throws GridError `shutting-down`.
   */
  acquire(): Promise<ProducerSession> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  /** No new batch is begun with it; another session is opened at once, which also tells whether Kafka is there. */
  async retire(session: ProducerSession): Promise<void> {
    if (this.#current === session) {
      this.#current = undefined;
      this.acquire().catch(() => undefined);
    }
    await session.retire();
  }

  async close(): Promise<void> {
    await this.#current?.retire();
  }

  async #open(): Promise<ProducerSession> {
    const { kafka, health, connectionTimeoutMs, requestTimeoutMs, signal } = this.#options;
    // kafkajs tries twice, each time connecting and asking.
    const timeoutMs = 2 * (connectionTimeoutMs + requestTimeoutMs);
    const backoff = new Backoff(PRODUCER_RETRY_DELAYS);
    while (!signal.aborted) {
      try {
        const session = await ProducerSession.open(kafka, timeoutMs, timeoutMs);
        this.#current = session;
        health.recovered();
        return session;
      } catch (error) {
        health.failed(error);
      }
      await backoff.pause(signal);
    }
    throw shuttingDown();
  }
}

export function shuttingDown(): GridError {
  return new GridError(
    'shutting-down',
    'Writing to Kafka: the process is stopping. Send the records again to its successor.',
  );
}
