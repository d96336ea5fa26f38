/** One record to be written. Records of one sensor have the same key, so they keep their order. */
export interface ProducedRecord {
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string | Buffer>>;
}

/**
 * Writes records so that Kafka acknowledges each once: idempotent, acks=all, one request in flight per connection.
 */
export interface RecordProducer {
  /**
   * Queues the records of one topic and resolves when all in-sync replicas have acknowledged every one of them.
   *
   * @throws GridError `producer-queue-full` at once and with nothing queued, when the bytes that wait would pass the
   *   queue's bound; `not-acknowledged` when Kafka did not answer in time (the records may or may not be written);
   *   `kafka-refused` when it will never take them (too large, no such topic, no rights); `shutting-down`.
   */
  send(topic: string, records: readonly ProducedRecord[]): Promise<void>;
  /** Resolves when the queue has room for about `bytes` more; for sources that can wait. */
  ready(bytes: number): Promise<void>;
  /** Bytes that wait or are under way. */
  readonly queuedBytes: number;
  /** Waits for what is queued, at most `timeoutMs`, then disconnects. */
  close(timeoutMs: number): Promise<void>;
}
