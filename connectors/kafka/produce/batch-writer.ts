import type { GridError } from '../../../grid/errors.ts';
import type { QueuedRecord } from './partition-queue.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { failureText } from '../failure.ts';
import { notAcknowledged, produceFailureKind, refused } from './produce-failure.ts';
import type { ProducerMetrics } from './producer-metrics.ts';
import type { ProducerSession } from './producer-session.ts';
import { PRODUCER_RETRY_DELAYS, type ProducerHealth } from './producer-health.ts';
import type { ProducerSessions } from './producer-sessions.ts';

/** A topic that has just been made is unknown to some brokers for a moment. */
export const UNKNOWN_TOPIC_PATIENCE_MS = 5_000;

export interface BatchWriterOptions {
  readonly sessions: ProducerSessions;
  readonly health: ProducerHealth;
  readonly metrics: ProducerMetrics;
  readonly deliveryTimeoutMs: number;
  /** Aborts when nothing is to be tried any more. */
  readonly signal: AbortSignal;
  /** Called once for every record: acknowledged, or failed with `error`. */
  readonly settle: (topic: string, records: readonly QueuedRecord[], error?: GridError) => void;
}

/** Writes batches until their fate is known or time is up, and says which it was. */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  readonly #underWay = new Set<readonly QueuedRecord[]>();

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes one batch, in halves where the topic does not allow as much at once. Never two at once for one partition.
   *
   * @throws GridError `shutting-down`, with everything settled.
   */
  async write(topic: string, partition: number, batch: readonly QueuedRecord[], first: ProducerSession): Promise<void> {
    const parts = [batch];
    let session = first;
    try {
      for (let part = parts[0]; part !== undefined; part = parts[0]) {
        this.#underWay.add(part);
        const outcome = await this.#deliver(topic, partition, part, session);
        this.#underWay.delete(part);
        parts.shift();
        if (outcome === 'too-large') {
          const half = Math.ceil(part.length / 2);
          parts.unshift(part.slice(0, half), part.slice(half));
        }
        if (parts.length > 0) session = await this.#options.sessions.acquire();
      }
    } catch (error) {
      for (const part of parts) {
        this.#underWay.delete(part);
        this.#options.settle(topic, part, notAcknowledged(part.length, topic, failureText(error), error));
      }
      throw error;
    }
  }

  /** Tells the callers of what is under way at the end; an attempt may hang for long yet. */
  abandon(): void {
    for (const batch of this.#underWay) {
      for (const { delivery } of batch) {
        delivery.fail(notAcknowledged(batch.length, 'that is being written', 'the process stops'));
      }
    }
  }

  async #deliver(
    topic: string,
    partition: number,
    batch: readonly QueuedRecord[],
    first: ProducerSession,
  ): Promise<'settled' | 'too-large'> {
    const { sessions, health, metrics, settle, signal, deliveryTimeoutMs } = this.#options;
    const startedMs = Date.now();
    let session = first;
    session.use();
    try {
      for (const backoff = new Backoff(PRODUCER_RETRY_DELAYS); ;) {
        const failure = await attempt(session, topic, partition, batch);
        const kind = failure === undefined ? 'written' : produceFailureKind(failure);
        if (kind === 'written') {
          health.recovered();
          settle(topic, batch);
          return 'settled';
        }
        if (kind === 'too-large' || kind === 'refused') health.recovered();
        if (kind === 'too-large' && batch.length > 1) return 'too-large';
        if (kind === 'refused' || kind === 'too-large') {
          settle(topic, batch, refused(batch.length, topic, failure));
          return 'settled';
        }
        const elapsedMs = Date.now() - startedMs;
        if (kind === 'unknown-topic' && elapsedMs > UNKNOWN_TOPIC_PATIENCE_MS) {
          // One topic that is gone makes kafkajs fail to refresh what it knows of all others.
          await sessions.retire(session);
          settle(topic, batch, refused(batch.length, topic, failure));
          return 'settled';
        }
        health.failed(failure);
        metrics.repeated(topic);
        if (elapsedMs > deliveryTimeoutMs || signal.aborted) {
          // Its fate is unknown, and with it the partition's sequence number.
          await sessions.retire(session);
          const why = signal.aborted ? 'the process stops' : `last answer: ${failureText(failure)}`;
          settle(topic, batch, notAcknowledged(batch.length, topic, why, failure));
          return 'settled';
        }
        if (kind === 'renew') {
          await sessions.retire(session);
          const renewed = await sessions.acquire();
          renewed.use();
          await session.release();
          session = renewed;
        }
        await backoff.pause(signal);
      }
    } finally {
      await session.release();
    }
  }
}

/** One attempt; the failure, if any. */
async function attempt(
  session: ProducerSession,
  topic: string,
  partition: number,
  batch: readonly QueuedRecord[],
): Promise<unknown> {
  try {
    await session.write(topic, partition, batch);
    return undefined;
  } catch (error) {
    return error ?? new Error('unknown failure');
  }
}
