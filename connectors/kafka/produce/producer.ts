import { setMaxListeners } from 'node:events';
import { asGridError, GridError } from '../../../grid/errors.ts';
import { ByteBudget } from '../../../runtime/byte-budget.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { StateMachine } from '../../../runtime/state-machine.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import { BatchWriter, UNKNOWN_TOPIC_PATIENCE_MS } from './batch-writer.ts';
import { createKafka } from '../client.ts';
import { partitionOfKey } from './murmur2.ts';
import { Delivery, PartitionQueue, sizeOf, type QueuedRecord } from './partition-queue.ts';
import { notAcknowledged } from './produce-failure.ts';
import { NO_PRODUCER_METRICS, type ProducerMetrics } from './producer-metrics.ts';
import { PRODUCER_RETRY_DELAYS, ProducerHealth, type ProducerTrouble } from './producer-health.ts';
import { ProducerSessions, shuttingDown } from './producer-sessions.ts';
import type { ProducedRecord, RecordProducer } from './record-producer.ts';
import { TopicDirectory } from '../topics/topic-directory.ts';

export interface KafkaProducerOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
  /** Bytes that may wait or be under way; beyond, `send` refuses. One larger call is let in when nothing else waits. */
  readonly queueBytes: number;
  readonly metrics?: ProducerMetrics;
  /** How long a first record waits for company, milliseconds, default 5. More makes batches larger and replies later. */
  readonly lingerMs?: number;
  /** How long records wait to be written, and how long writing them is repeated, milliseconds, default 120,000. */
  readonly deliveryTimeoutMs?: number;
  /** Largest batch to one partition, default 512 KiB; it is halved where a topic's `max.message.bytes` allows less. */
  readonly maxBatchBytes?: number;
  /** Largest record, default 1,000,000 bytes: what Kafka's default `message.max.bytes` leaves. */
  readonly maxRecordBytes?: number;
  /** Longest wait for a connection, milliseconds, default 3,000. */
  readonly connectionTimeoutMs?: number;
  /** Longest wait for a reply to one request, milliseconds, default 15,000. */
  readonly requestTimeoutMs?: number;
}

/** kafkajs copies its per-partition list for each record, so the cost of a batch grows with the square of its length. */
const MAX_BATCH_RECORDS = 1_000;
const PARTITION_COUNT_MAX_AGE_MS = 300_000;
const SWEEP_INTERVAL_MS = 500;

interface TopicQueues {
  readonly name: string;
  /** Waiting for the number of partitions to be known. */
  unassigned: QueuedRecord[];
  readonly queues: PartitionQueue[];
  countedAtMs: number;
  counting: boolean;
  /** Takes turns over the partitions for calls whose records have no key. */
  turn: number;
}

/**
 * Collects records of all callers by partition and writes them in batches, each acknowledged once by all in-sync replicas.
 *
 *     send ──► queue of the partition ──linger or a full batch──► one batch under way ──► acknowledged
 *                      ▲ collects while a batch is under way           │  ▲
 *                                                                      └──┘ repeated on the same session
 *
 * - A partition has one batch under way, and until its fate is known nothing else is written there: so a repeated batch
 *   carries its first sequence number and Kafka recognises it, and records keep their order.
 * - When the fate stays unknown (`deliveryTimeoutMs`), its callers are told so and the session, whose sequence is then unknown
 *   as well, is retired; other queues finish their batch on it and then take the new one.
 * - A producer is `open`, then `closing` (takes nothing more, writes what it holds), then `closed`.
 */
export class KafkaProducer implements RecordProducer {
  readonly #options: KafkaProducerOptions;
  readonly #metrics: ProducerMetrics;
  readonly #deliveryTimeoutMs: number;
  readonly #maxBatchBytes: number;
  readonly #budget: ByteBudget;
  readonly #health: ProducerHealth;
  readonly #sessions: ProducerSessions;
  readonly #writer: BatchWriter;
  readonly #directory: TopicDirectory;
  readonly #topics = new Map<string, TopicQueues>();
  readonly #abort = new AbortController();
  readonly #sweeper: NodeJS.Timeout;
  readonly #life = new StateMachine('The Kafka producer', 'open', {
    open: ['closing'],
    closing: ['closed'],
    closed: [],
  });
  #flushTimer: NodeJS.Timeout | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? NO_PRODUCER_METRICS;
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs ?? 120_000;
    this.#maxBatchBytes = options.maxBatchBytes ?? 512 * 1_024;
    this.#budget = new ByteBudget(options.queueBytes, (bytes) => {
      this.#metrics.queued(bytes);
    });
    this.#health = new ProducerHealth(options.logger);
    const connectionTimeoutMs = options.connectionTimeoutMs ?? 3_000;
    const requestTimeoutMs = options.requestTimeoutMs ?? 15_000;
    const signal = this.#abort.signal;
    // Each queue that waits to try again listens.
    setMaxListeners(0, signal);
    const kafka = createKafka({
      brokers: options.brokers,
      clientId: options.clientId,
      // What goes wrong is told once, by ProducerHealth; kafkajs would write several lines for each repetition.
      logger: options.logger.child({}, { level: 'silent' }),
      connectionTimeoutMs,
      requestTimeoutMs,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1 },
    });
    this.#sessions = new ProducerSessions({
      kafka,
      health: this.#health,
      connectionTimeoutMs,
      requestTimeoutMs,
      signal,
    });
    this.#writer = new BatchWriter({
      sessions: this.#sessions,
      health: this.#health,
      metrics: this.#metrics,
      deliveryTimeoutMs: this.#deliveryTimeoutMs,
      signal,
      settle: (topic, records, error) => {
        this.#settle(topic, records, error);
      },
    });
    this.#directory = new TopicDirectory(kafka, 2 * connectionTimeoutMs);
    this.#sweeper = setInterval(() => {
      this.#expire(Date.now() - this.#deliveryTimeoutMs, 'Kafka could not be reached in time');
    }, SWEEP_INTERVAL_MS);
    this.#sweeper.unref();
  }

  get queuedBytes(): number {
    return this.#budget.usedBytes;
  }

  /** Since when Kafka has not acknowledged anything that it should have; undefined while all is well, as far as known. */
  get trouble(): ProducerTrouble | undefined {
    return this.#health.trouble;
  }

  /** Connects ahead of the first record; that it fails shows only in {@link trouble}, it goes on by itself. */
  start(): void {
    this.#sessions.acquire().catch(() => undefined);
  }

  /**
   * Whether Kafka answers and knows the topic now; for readiness checks.
   *
   * @throws GridError `kafka-unavailable`, `kafka-refused`.
   */
  async check(topic: string): Promise<void> {
    const partitions = await this.#directory.partitionCount(topic);
    if (partitions === undefined) throw noSuchTopic(topic);
  }

  async send(topic: string, records: readonly ProducedRecord[]): Promise<void> {
    if (!this.#life.is('open')) throw shuttingDown();
    if (records.length === 0) return;
    const maxRecordBytes = this.#options.maxRecordBytes ?? 1_000_000;
    const queuedAtMs = Date.now();
    const delivery = new Delivery(records.length, queuedAtMs);
    const queued: QueuedRecord[] = [];
    let bytes = 0;
    for (const record of records) {
      const size = sizeOf(record);
      if (size > maxRecordBytes) {
        throw new GridError(
          'kafka-refused',
          `Writing to Kafka topic ${topic}: a record has ${size} bytes; at most ${maxRecordBytes} are allowed. Send it in parts.`,
        );
      }
      bytes += size;
      queued.push({ record, bytes: size, delivery });
    }
    if (!this.#budget.tryTake(bytes)) {
      throw new GridError(
        'producer-queue-full',
        `Writing ${records.length} records to Kafka topic ${topic}: ${this.queuedBytes} bytes wait already, and ${bytes} more would pass the bound of ${this.#budget.limitBytes}. Send them again later.`,
      );
    }
    this.#queue(this.#queuesOf(topic), queued);
    await delivery.done;
    this.#metrics.sent(topic, (Date.now() - queuedAtMs) / 1_000);
  }

  ready(bytes: number): Promise<void> {
    return this.#budget.room(bytes);
  }

  async close(timeoutMs: number): Promise<void> {
    if (!this.#life.is('open')) return;
    this.#life.to('closing');
    this.#budget.close();
    this.#flush();
    if (this.queuedBytes > 0) {
      const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
      await orLate(timeoutMs, idle);
    }
    this.#life.to('closed');
    this.#abort.abort();
    clearInterval(this.#sweeper);
    clearTimeout(this.#flushTimer);
    this.#expire(Infinity, 'the process stops');
    this.#writer.abandon();
    await Promise.all([this.#sessions.close(), this.#directory.close()]);
  }

  #queuesOf(name: string): TopicQueues {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { name, unassigned: [], queues: [], countedAtMs: 0, counting: false, turn: 0 };
      this.#topics.set(name, topic);
    }
    return topic;
  }

  #queue(topic: TopicQueues, records: readonly QueuedRecord[]): void {
    if (topic.queues.length > 0) this.#assign(topic, records);
    else for (const record of records) topic.unassigned.push(record);
    if (Date.now() - topic.countedAtMs > PARTITION_COUNT_MAX_AGE_MS && !topic.counting)
      void this.#countPartitions(topic);
  }

  #assign(topic: TopicQueues, records: readonly QueuedRecord[]): void {
    const partitions = topic.queues.length;
    // Records of one call that have no key stay together, and so in order.
    const turn = topic.turn++ % partitions;
    for (const queued of records) {
      const { key } = queued.record;
      topic.queues[key === null ? turn : partitionOfKey(key, partitions)]?.push(queued);
    }
    for (const queue of topic.queues) {
      if (!queue.busy && queue.bytes >= this.#maxBatchBytes) void this.#drain(topic, queue);
    }
    this.#flushTimer ??= setTimeout(() => {
      this.#flush();
    }, this.#options.lingerMs ?? 5);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    for (const topic of this.#topics.values()) {
      for (const queue of topic.queues) {
        if (!queue.busy && !queue.isEmpty) void this.#drain(topic, queue);
      }
    }
  }

  /** Learns a topic's number of partitions and puts what waits for it into its queues; again every few minutes. */
  async #countPartitions(topic: TopicQueues): Promise<void> {
    topic.counting = true;
    const unknownUntilMs = Date.now() + UNKNOWN_TOPIC_PATIENCE_MS;
    const backoff = new Backoff(PRODUCER_RETRY_DELAYS);
    while (!this.#abort.signal.aborted) {
      try {
        const partitions = await this.#directory.partitionCount(topic.name);
        this.#health.recovered();
        if (partitions !== undefined) {
          while (topic.queues.length < partitions) topic.queues.push(new PartitionQueue(topic.queues.length));
          topic.countedAtMs = Date.now();
          this.#assign(topic, topic.unassigned.splice(0));
          break;
        }
        if (Date.now() > unknownUntilMs) throw noSuchTopic(topic.name);
      } catch (error) {
        const known = asGridError(error, `Counting the partitions of ${topic.name}`);
        if (known.code !== 'kafka-unavailable') {
          this.#settle(topic.name, topic.unassigned.splice(0), known);
          break;
        }
        // What is known already will do until the next time.
        if (topic.queues.length > 0) break;
        this.#health.failed(known);
      }
      await backoff.pause(this.#abort.signal);
    }
    topic.counting = false;
  }

  /** Writes what waits in a queue, batch after batch, until it is empty. */
  async #drain(topic: TopicQueues, queue: PartitionQueue): Promise<void> {
    queue.busy = true;
    try {
      while (!queue.isEmpty) {
        const session = await this.#sessions.acquire();
        const batch = queue.take(MAX_BATCH_RECORDS, this.#maxBatchBytes, (dropped) => {
          this.#free(dropped.bytes);
        });
        if (batch.length > 0) await this.#writer.write(topic.name, queue.partition, batch, session);
      }
    } catch (error) {
      // Only a closed producer gives no session; the callers have been told.
      if (!this.#abort.signal.aborted) throw error;
    } finally {
      queue.busy = false;
    }
  }

  /** Tells the callers of these records, and makes room. */
  #settle(topic: string, records: readonly QueuedRecord[], error?: GridError): void {
    let bytes = 0;
    for (const { delivery, bytes: size } of records) {
      bytes += size;
      if (error === undefined) delivery.acknowledge();
      else delivery.fail(error);
    }
    if (error === undefined) this.#metrics.acknowledged(topic, records.length, bytes);
    else if (records.length > 0) this.#metrics.failed(topic, records.length, error.code);
    this.#free(bytes);
  }

  #free(bytes: number): void {
    this.#budget.give(bytes);
    if (this.queuedBytes === 0) this.#onIdle?.();
  }

  /** Gives up what has waited too long without having been tried: these records are surely not written. */
  #expire(queuedBeforeMs: number, why: string): void {
    for (const { name, queues, unassigned } of this.#topics.values()) {
      const kept = unassigned.findIndex(({ delivery }) => delivery.queuedAtMs >= queuedBeforeMs);
      const expired = unassigned
        .splice(0, kept < 0 ? unassigned.length : kept)
        .concat(...queues.map((queue) => queue.takeOlderThan(queuedBeforeMs)));
      if (expired.length > 0) {
        this.#settle(name, expired, notAcknowledged(expired.length, name, why, this.trouble?.message));
      }
    }
  }
}

function noSuchTopic(topic: string): GridError {
  return new GridError(
    'kafka-refused',
    `Writing to Kafka topic ${topic}: there is no such topic. Create it, or correct its name.`,
  );
}
