import type { KafkaMessage } from 'kafkajs';
import type { GridError } from '../../../../grid/errors.ts';

/** What kafkajs wants to know of the batch that a message comes from, to leave out what an aborted transaction wrote. */
export interface BatchContext {
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** Headers of a record; a name that comes more than once has a list. Without a prototype: names come from outside. */
export type MessageHeaders = Record<string, Buffer | null | (Buffer | null)[]>;

export const NO_HEADERS: MessageHeaders = Object.freeze(Object.create(null) as MessageHeaders);

/** A stretch of a buffer; a negative length stands for null. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
}

/** One message as kafkajs hands it on. Key and value are cut out when they are asked for: a batch may hold very many. */
export class FetchedMessage {
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  readonly headers: MessageHeaders;
  readonly offsetNumber: number;
  readonly timestampMs: number;
  readonly #bytes: Buffer;
  readonly #keyStart: number;
  readonly #keyLength: number;
  readonly #valueStart: number;
  readonly #valueLength: number;

  constructor(
    bytes: Buffer,
    place: { readonly offset: number; readonly timestampMs: number },
    parts: { readonly key: Stretch; readonly value: Stretch; readonly headers: MessageHeaders },
    batch: { readonly isControl: boolean; readonly context: BatchContext },
  ) {
    this.#bytes = bytes;
    this.offsetNumber = place.offset;
    this.timestampMs = place.timestampMs;
    this.#keyStart = parts.key.start;
    this.#keyLength = parts.key.length;
    this.#valueStart = parts.value.start;
    this.#valueLength = parts.value.length;
    this.headers = parts.headers;
    this.isControlRecord = batch.isControl;
    this.batchContext = batch.context;
  }

  get offset(): string {
    return String(this.offsetNumber);
  }

  get timestamp(): string {
    return String(this.timestampMs);
  }

  get key(): Buffer | null {
    return this.#keyLength < 0 ? null : this.#bytes.subarray(this.#keyStart, this.#keyStart + this.#keyLength);
  }

  get value(): Buffer | null {
    return this.#valueLength < 0 ? null : this.#bytes.subarray(this.#valueStart, this.#valueStart + this.#valueLength);
  }
}

/**
 * Stands in a fetch's messages for what has none: the end of a batch whose last records compaction removed (kafkajs then goes on behind it),
 * or a batch that cannot be decoded.
 */
export class PlaceHolder {
  readonly key = null;
  readonly value = null;
  readonly headers = NO_HEADERS;
  readonly timestamp = '-1';
  /** The batch's last offset: kafkajs passes over messages that lie before the offset it asked for. */
  readonly offset: string;
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  readonly undecodable: UndecodableBatch | undefined;

  constructor(lastOffset: number, batchContext: BatchContext, undecodable?: UndecodableBatch) {
    this.offset = String(lastOffset);
    this.batchContext = batchContext;
    this.undecodable = undecodable;
    // kafkajs drops control records after it has taken note of their offset.
    this.isControlRecord = undecodable === undefined;
  }
}

/** A batch that cannot be decoded: nothing in it is known but where it begins and ends. */
export interface UndecodableBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly error: GridError;
}

/** The undecodable batch that a message of a fetch stands for; mostly none. */
export function undecodableBatchOf(message: KafkaMessage | PlaceHolder): UndecodableBatch | undefined {
  return message instanceof PlaceHolder ? message.undecodable : undefined;
}
