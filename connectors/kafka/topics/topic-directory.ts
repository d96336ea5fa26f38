import type { Admin, Kafka } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import { failureText, protocolErrorType } from '../failure.ts';

/** Asks Kafka about topics, each question bounded in time whatever the broker does. */
export class TopicDirectory {
  readonly #kafka: Kafka;
  readonly #timeoutMs: number;
  #admin: Promise<Admin> | undefined;

  constructor(kafka: Kafka, timeoutMs: number) {
    this.#kafka = kafka;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The number of partitions of a topic; undefined when Kafka does not know the topic.
   *
   * @throws GridError `kafka-unavailable` when Kafka did not answer, `kafka-refused` when it denies the topic.
   */
  async partitionCount(topic: string): Promise<number | undefined> {
    const asking = this.#connected().then((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    try {
      const metadata = await within(this.#timeoutMs, asking);
      return metadata.topics.find(({ name }) => name === topic)?.partitions.length;
    } catch (error) {
      const type = protocolErrorType(error);
      if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
      const attempt = `Asking Kafka about topic ${topic}: ${failureText(error)}.`;
      if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'INVALID_TOPIC_EXCEPTION') {
        throw new GridError('kafka-refused', `${attempt} Check the topic's name and the rights on it.`, {
          cause: error,
        });
      }
      // The connection may be half dead: the next question starts with a new one.
      await this.close();
      throw new GridError('kafka-unavailable', `${attempt} It is asked again until it answers.`, { cause: error });
    }
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    if (admin !== undefined) {
      // kafkajs waits for replies that may never come.
      await within(
        500,
        admin.then((client) => client.disconnect()),
      ).catch(() => undefined);
    }
  }

  #connected(): Promise<Admin> {
    this.#admin ??= connect(this.#kafka);
    return this.#admin;
  }
}

async function connect(kafka: Kafka): Promise<Admin> {
  const admin = kafka.admin();
  await admin.connect();
  return admin;
}
