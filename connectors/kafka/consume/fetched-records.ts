import type { KafkaMessage } from 'kafkajs';
import type { ConsumedRecord, ConsumedRecords } from './consumed.ts';
import { undecodableBatchOf, type UndecodableBatch } from './decode/fetched-message.ts';

const NO_HEADERS = Object.freeze({});

/** Messages of a fetch, as records; each is made when it is asked for and may be forgotten at once. */
class MessageRecords implements ConsumedRecords {
  readonly #messages: readonly KafkaMessage[];
  readonly #start: number;
  readonly #end: number;

  constructor(messages: readonly KafkaMessage[], start: number, end: number) {
    this.#messages = messages;
    this.#start = start;
    this.#end = end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  *[Symbol.iterator](): Generator<ConsumedRecord, void> {
    for (let index = this.#start; index < this.#end; index++) {
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

/** A part of a fetch's records. */
export interface RecordSlice {
  readonly records: ConsumedRecords;
  /** Undefined for the last part: it goes up to where the fetch ends. */
  readonly nextOffset: number | undefined;
}

/** The records of a fetch from an offset on. */
export class FetchedRecords {
  readonly #messages: readonly KafkaMessage[];
  readonly #start: number;
  readonly #end: number;
  /** The batch at which the records end, because it cannot be decoded. */
  readonly undecodable: UndecodableBatch | undefined;

  /** @param fromOffset messages before it (a fetch may begin earlier) are passed over. */
  constructor(messages: readonly KafkaMessage[], fromOffset: number) {
    this.#messages = messages;
    // Decoding goes no further than such a batch, so it can only be the last.
    const last = messages.at(-1);
    this.undecodable = last === undefined ? undefined : undecodableBatchOf(last);
    this.#end = messages.length - (this.undecodable === undefined ? 0 : 1);
    const start = messages.findIndex((message) => Number(message.offset) >= fromOffset);
    this.#start = start < 0 ? this.#end : Math.min(start, this.#end);
  }

  /** The records in parts of at most `most`, in order; at least one part, which may be empty. */
  *slices(most: number): Generator<RecordSlice, void> {
    let start = this.#start;
    do {
      const end = Math.min(start + most, this.#end);
      const following = this.#messages[end];
      yield {
        records: new MessageRecords(this.#messages, start, end),
        nextOffset: end === this.#end || following === undefined ? undefined : Number(following.offset),
      };
      start = end;
    } while (start < this.#end);
  }
}
