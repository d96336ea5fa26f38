import kafkajs, { type Kafka } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { failureText } from '../failure.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';

const CALL_TIMEOUT_MS = 10_000;
const MAX_AGE_MS = 60_000;
/** Kafka's own default, for who may not see a topic's settings. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/** Knows how large a record batch each topic takes; asks Kafka at most once a minute. */
export class TopicLimits {
  readonly #kafka: Kafka;
  readonly #known = new Map<string, { readonly askedAtMs: number; readonly bytes: Promise<number> }>();

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /**
   * `max.message.bytes` of a topic: the largest record batch that it takes, bytes.
   *
   * @throws GridError `kafka-unavailable`.
   */
  maxMessageBytes(topic: string): Promise<number> {
    const known = this.#known.get(topic);
    if (known !== undefined && Date.now() - known.askedAtMs < MAX_AGE_MS) return known.bytes;
    const bytes = this.#ask(topic);
    this.#known.set(topic, { askedAtMs: Date.now(), bytes });
    bytes.catch(() => this.#known.delete(topic));
    return bytes;
  }

  async #ask(topic: string): Promise<number> {
    const admin = this.#kafka.admin();
    try {
      await within(CALL_TIMEOUT_MS, admin.connect());
      const asking = admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes'] }],
      });
      const { resources } = await within(CALL_TIMEOUT_MS, asking);
      const bytes = Number(resources[0]?.configEntries[0]?.configValue);
      return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : DEFAULT_MAX_MESSAGE_BYTES;
    } catch (error) {
      throw new GridError(
        'kafka-unavailable',
        `Asking Kafka for the settings of topic ${topic}: ${failureText(error)}. It is asked again.`,
        { cause: error },
      );
    } finally {
      await within(1_000, admin.disconnect()).catch(() => undefined);
    }
  }
}
