import { createKafka, type KafkaClient } from '../../../../connectors/kafka/client.ts';
import type { Logger } from '../../../../runtime/logger.ts';
import type { SinkName } from '../../../../grid/sinks.ts';

export interface KafkaProgressOptions {
  readonly brokers: readonly string[];
  readonly readingsTopic: string;
  /** Topic and consumer group of each sink. */
  readonly sinks: readonly { readonly name: SinkName; readonly topic: string; readonly groupId: string }[];
  readonly logger: Logger;
}

export interface KafkaProgress {
  /** Records that the readings' topic has ever taken, all partitions together. */
  readonly readings: number;
  /** Records that a sink has still to bring into its store and commit. */
  readonly waiting: Readonly<Partial<Record<SinkName, number>>>;
}

const TIMEOUT_MS = 5_000;

/** Asks Kafka itself how far everything is; so it stays true while a worker or a store is down. */
export class KafkaWatch {
  readonly #options: KafkaProgressOptions;
  readonly #kafka: KafkaClient;
  #admin: ReturnType<KafkaClient['admin']> | undefined;

  constructor(options: KafkaProgressOptions) {
    this.#options = options;
    this.#kafka = createKafka({
      brokers: options.brokers,
      clientId: 'powergrid-start',
      logger: options.logger,
      requestTimeoutMs: TIMEOUT_MS,
      retry: { retries: 1, initialRetryTime: 100 },
    });
  }

  /** Rejects when Kafka does not answer, or has no such topics yet. */
  async ask(): Promise<KafkaProgress> {
    if (this.#admin === undefined) {
      const admin = this.#kafka.admin();
      await admin.connect();
      this.#admin = admin;
    }
    const admin = this.#admin;
    const { sinks, readingsTopic } = this.#options;
    const topics = [...new Set([readingsTopic, ...sinks.map(({ topic }) => topic)])];
    const bounds = new Map(
      await Promise.all(topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const)),
    );
    const waiting = await Promise.all(
      sinks.map(async ({ name, topic, groupId }) => {
        const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
        const committed = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
        const count = (bounds.get(topic) ?? []).reduce((sum, { partition, low, high }) => {
          // A group that has not committed anything has offset −1.
          const from = Math.max(committed.get(partition) ?? -1, Number(low));
          return sum + Math.max(0, Number(high) - from);
        }, 0);
        return [name, count] as const;
      }),
    );
    return {
      readings: (bounds.get(readingsTopic) ?? []).reduce((sum, { high }) => sum + Number(high), 0),
      waiting: Object.fromEntries(waiting),
    };
  }

  async close(): Promise<void> {
    await this.#admin?.disconnect().catch(() => undefined);
  }
}
