import type { ProducedRecord, RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import { sendPatiently } from '../pacing/patient-send.ts';
import type { TextLine } from './line-cutter.ts';

/** Lines collected for one call of the producer: two such batches are all that a request holds in memory. */
const BATCH_BYTES = 512 * 1_024;
const BATCH_LINES = 5_000;
/** Roughly what a record costs beside its text while it waits. */
const LINE_OVERHEAD_BYTES = 100;

/**
 * Writes the lines of one request to one partition, in order: they share a key. While a batch is being written the next one
 * is collected, and no more, so a body of any length passes through at the rate at which Kafka takes it.
 */
export class TextWriter {
  readonly #producer: RecordProducer;
  readonly #topic: string;
  readonly #key: string;
  #sending: Promise<void> = Promise.resolve();
  #batch: ProducedRecord[] = [];
  #batchBytes = 0;
  #batchLines = 0;
  #storedLines = 0;
  #bytes = 0;

  constructor(producer: RecordProducer, topic: string, key: string) {
    this.#producer = producer;
    this.#topic = topic;
    this.#key = key;
  }

  /** Lines that Kafka has acknowledged: the first so many of the request. */
  get storedLines(): number {
    return this.#storedLines;
  }

  /** Bytes of text taken so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a line; resolves when there is room for the next. */
  async write(line: TextLine, headers?: Readonly<Record<string, string>>): Promise<void> {
    const all = { ...headers, ...partHeaders(line) };
    const record = { key: this.#key, value: line.bytes };
    this.#batch.push(Object.keys(all).length === 0 ? record : { ...record, headers: all });
    this.#batchBytes += line.bytes.length + headerBytes(all) + LINE_OVERHEAD_BYTES;
    this.#bytes += line.bytes.length;
    if (line.part === undefined || line.parts !== undefined) this.#batchLines++;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_LINES) await this.#send();
  }

  /** Resolves when every line is acknowledged. */
  async finish(): Promise<void> {
    await this.#send();
    await this.#sending;
  }

  /** Waits for what is being written, whatever becomes of it, so that {@link storedLines} is final. */
  async settle(): Promise<void> {
    await this.#sending.catch(() => undefined);
  }

  async #send(): Promise<void> {
    await this.#sending;
    const records = this.#batch;
    const lines = this.#batchLines;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#batchLines = 0;
    this.#sending = sendPatiently(this.#producer, this.#topic, records, bytes).then(() => {
      this.#storedLines += lines;
    });
    // It is awaited before the next batch; until then a failure must not count as unhandled.
    this.#sending.catch(() => undefined);
  }
}

function headerBytes(headers: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const name in headers) bytes += name.length + (headers[name]?.length ?? 0);
  return bytes;
}

function partHeaders({ part, parts }: TextLine): Record<string, string> {
  if (part === undefined) return {};
  return parts === undefined ? { part: String(part) } : { part: String(part), parts: String(parts) };
}
