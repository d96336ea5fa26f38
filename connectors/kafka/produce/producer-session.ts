import type { Kafka, Producer } from 'kafkajs';
import type { QueuedRecord } from './partition-queue.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';

/**
 * One producer id of Kafka's: sequence numbers, by which a repeated batch is recognised, count within it. As soon as the
 * fate of a batch remains unknown its partition's sequence is unknown too, so the session is retired, and what comes after
 * is written by a new one.
 */
export class ProducerSession {
  readonly #producer: Producer;
  readonly #sendTimeoutMs: number;
  #retired = false;
  #users = 0;

  private constructor(producer: Producer, sendTimeoutMs: number) {
    this.#producer = producer;
    this.#sendTimeoutMs = sendTimeoutMs;
  }

  /** Connects and gets a producer id. `sendTimeoutMs` bounds one attempt to write, kafkajs's own repetitions included. */
  static async open(kafka: Kafka, connectTimeoutMs: number, sendTimeoutMs: number): Promise<ProducerSession> {
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      // Partitions are chosen before: kafkajs would choose anew, and differently for records without a key, at each repetition.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      // kafkajs repeats without end by default, also after a disconnect; repeating is done by the caller.
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1 },
    });
    try {
      await within(connectTimeoutMs, producer.connect());
    } catch (error) {
      await disconnect(producer);
      throw error;
    }
    return new ProducerSession(producer, sendTimeoutMs);
  }

  get retired(): boolean {
    return this.#retired;
  }

  /**
   * One attempt to write a batch to one partition. Never two at once for the same partition, and until a batch is settled
   * nothing else to its partition: a repetition must go with the sequence number of the first attempt.
   *
   * One partition a call, since kafkajs loses or doubles records of a call that spans brokers: it repeats only towards
   * brokers that have not answered yet, whoever leads the partition by then, and while others are still answering.
   */
  async write(topic: string, partition: number, batch: readonly QueuedRecord[]): Promise<void> {
    const messages = batch.map(({ record: { key, value, headers } }) =>
      headers === undefined ? { key, value, partition } : { key, value, partition, headers: { ...headers } },
    );
    const results = await within(this.#sendTimeoutMs, this.#producer.send({ topic, messages, acks: -1 }));
    // Of a partition that its metadata does not list, kafkajs forgets the records and reports success.
    if (!results.some((result) => result.partition === partition && result.errorCode === 0)) {
      throw new Error(`Kafka's reply does not mention partition ${partition}`);
    }
  }

  /** Counts who uses it, so that a retired session disconnects when the last one is done. */
  use(): void {
    this.#users++;
  }

  async release(): Promise<void> {
    this.#users--;
    if (this.#retired && this.#users === 0) await disconnect(this.#producer);
  }

  /** No new batch is begun with it. */
  async retire(): Promise<void> {
    if (this.#retired) return;
    this.#retired = true;
    if (this.#users === 0) await disconnect(this.#producer);
  }
}

/** kafkajs waits for replies that may never come. */
async function disconnect(producer: Producer): Promise<void> {
  await within(1_000, producer.disconnect()).catch(() => undefined);
}
