import type { KafkaClient } from '../../../connectors/kafka/client.ts';
import { TopicLimits } from '../../../connectors/kafka/topics/topic-limits.ts';
import { ensureTopics } from '../../../connectors/kafka/topics/topics.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { DEAD_LETTER_HEADROOM_BYTES } from '../../project-topics.ts';

export interface RouterTopicsOptions {
  readonly kafka: KafkaClient;
  readonly sourceTopic: string;
  readonly deadLetterTopic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly retentionMs: number;
  readonly logger: Logger;
}

/** The topics that the router writes to, made when they are needed and missing. */
export class RouterTopics {
  readonly #options: RouterTopicsOptions;
  /** How large a record batch each topic takes. */
  readonly limits: TopicLimits;

  constructor(options: RouterTopicsOptions) {
    this.#options = options;
    this.limits = new TopicLimits(options.kafka);
  }

  /**
   * Makes a topic, unless it is there, so that every record of the source fits into it, and into the dead-letter topic
   * with the headers that say why it is there.
   *
   * @throws GridError `kafka-unavailable`, `kafka-refused`.
   */
  async make(name: string): Promise<void> {
    const { kafka, logger, partitions, replicationFactor, retentionMs, sourceTopic, deadLetterTopic } = this.#options;
    const sourceMaxBytes = await this.limits.maxMessageBytes(sourceTopic);
    const maxMessageBytes = name === deadLetterTopic ? sourceMaxBytes + DEAD_LETTER_HEADROOM_BYTES : sourceMaxBytes;
    await ensureTopics({
      kafka,
      logger,
      topics: [{ name, partitions, replicationFactor, retentionMs, maxMessageBytes }],
    });
  }

  /** The largest record batch that the dead-letter topic takes, bytes; makes the topic, unless it is there. */
  async deadLetterMaxBytes(): Promise<number> {
    await this.make(this.#options.deadLetterTopic);
    return this.limits.maxMessageBytes(this.#options.deadLetterTopic);
  }
}
