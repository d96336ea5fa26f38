import type { KafkaMessage } from 'kafkajs';
import type { ConsumedRecord, ConsumedRecords } from './consumed.ts';

const NO_HEADERS = Object.freeze({});

/** The messages of a fetch from an offset on, as records; each is made when it is asked for and may be forgotten at once. */
export class FetchedRecords implements ConsumedRecords {
  readonly #messages: readonly KafkaMessage[];
  readonly #start: number;

  /** @param fromOffset messages before it (a fetch may begin earlier) are passed over. */
  constructor(messages: readonly KafkaMessage[], fromOffset: number) {
    this.#messages = messages;
    const start = messages.findIndex((message) => Number(message.offset) >= fromOffset);
    this.#start = start < 0 ? messages.length : start;
  }

  get length(): number {
    return this.#messages.length - this.#start;
  }

  *[Symbol.iterator](): Generator<ConsumedRecord, void> {
    for (let index = this.#start; index < this.#messages.length; index++) {
      const message = this.#messages[index];
      if (message === undefined) return;
      yield {
        offset: Number(message.offset),
        key: message.key,
        value: message.value,
        timestampMs: Number(message.timestamp),
        headers: message.headers ?? NO_HEADERS,
      };
    }
  }
}
