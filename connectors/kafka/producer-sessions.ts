import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { failureText } from './produce-failure.ts';
import { ProducerSession } from './producer-session.ts';

const FIRST_RETRY_DELAY_MS = 100;
const MAX_RETRY_DELAY_MS = 1_000;

/** Delays between tries, doubling; a stop ends a delay at once. */
export class Backoff {
  readonly #signal: AbortSignal;
  #delayMs = FIRST_RETRY_DELAY_MS;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  async pause(): Promise<void> {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, MAX_RETRY_DELAY_MS);
    await sleep(delayMs, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}

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
    const backoff = new Backoff(signal);
    while (!signal.aborted) {
      try {
        const session = await ProducerSession.open(kafka, timeoutMs, timeoutMs);
        this.#current = session;
        health.recovered();
        return session;
      } catch (error) {
        health.failed(error);
      }
      await backoff.pause();
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
