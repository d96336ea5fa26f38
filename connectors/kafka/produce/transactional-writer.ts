import type { IHeaders, Kafka, Message, Producer, Transaction } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { partitionOfKey } from './murmur2.ts';
import { failureText, protocolErrorType } from '../failure.ts';
import { produceFailureKind } from './produce-failure.ts';
import type { TopicDirectory } from '../topics/topic-directory.ts';
import type { TopicLimits } from '../topics/topic-limits.ts';
import { StateMachine } from '../../../runtime/state-machine.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';

/** A record to be written in a transaction. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  /** Record timestamp, epoch milliseconds; the time of writing when absent. */
  readonly timestampMs?: number;
}

/** What a transaction says the group has consumed. */
export interface ConsumedUpTo {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
}

export interface TransactionalWriterOptions {
  readonly kafka: Kafka;
  readonly topics: TopicDirectory;
  readonly limits: TopicLimits;
  /** Makes a topic that is not there, when something is to be written to it. */
  readonly makeTopic: (topic: string) => Promise<void>;
  /** Only one writer of a transactional id can write; a newer one fences the older off. */
  readonly transactionalId: string;
  /** Longest wait for becoming ready, and for each transaction, milliseconds. */
  readonly timeoutMs: number;
}

/** At most this in a request, half of a topic's usual limit of 1 MiB for a batch. */
const MAX_REQUEST_BYTES = 512 * 1024;
/** kafkajs copies its per-partition list for each record, so the cost of a request grows with the square of its length. */
const MAX_REQUEST_RECORDS = 1_000;
/** A transaction that a writer left open when it died blocks readers at most this long, unless its successor ends it before. */
const TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * Writes records and the offset up to which they were derived from what was consumed, all or nothing (Kafka's transactions).
 * Every quirk of kafkajs that has to do with transactions is kept in here.
 *
 *     new ──open()──► ready ──write()──► writing ──► ready
 *                                           └─ failed ──► broken        any ──close()──► closed
 *
 * After a failure the fate of the transaction may be unknown and kafkajs's own state machine may be stuck, so a broken
 * writer is never used again. The next one with the same transactional id settles it: opening ends what was
 * left open, and the group's committed offset, read after that, tells whether the transaction was committed.
 */
export class TransactionalWriter {
  readonly #options: TransactionalWriterOptions;
  readonly #producer: Producer;
  readonly #targets = new Map<string, Target>();
  readonly #life: StateMachine<'new' | 'ready' | 'writing' | 'broken' | 'closed'>;

  constructor(options: TransactionalWriterOptions) {
    this.#options = options;
    this.#life = new StateMachine(`Transactional writer ${options.transactionalId}`, 'new', {
      new: ['ready', 'broken', 'closed'],
      ready: ['writing', 'closed'],
      writing: ['ready', 'broken', 'closed'],
      broken: ['closed'],
      closed: ['closed'],
    });
    this.#producer = options.kafka.producer({
      transactionalId: options.transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Partitions are chosen before: kafkajs would choose anew at each repetition.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
      // The markers of the previous transaction may still be under way when the next one begins, which Kafka answers with
      // CONCURRENT_TRANSACTIONS: soon again. Anything that lasts longer ends this writer.
      retry: { initialRetryTime: 20, maxRetryTime: 500, retries: 8 },
    });
  }

  /**
   * Becomes the one writer of its transactional id: fences earlier ones off and ends the transaction that they left open.
   *
   * @throws GridError `kafka-unavailable`, `kafka-refused`.
   */
  async open(): Promise<void> {
    this.#life.expect('new');
    try {
      await within(this.#options.timeoutMs, this.#fence());
    } catch (error) {
      this.#life.to('broken');
      throw this.#failure(error, `Opening Kafka transactions as ${this.#options.transactionalId}`);
    }
    this.#life.to('ready');
  }

  /**
   * Writes `records` and commits `consumed` for its group in one transaction.
   *
   * @throws GridError `fenced` when a newer writer has taken over; `kafka-unavailable`, `kafka-refused`. Unless it is
   *   known otherwise the transaction may have been committed.
   */
  async write(records: readonly OutgoingRecord[], consumed: ConsumedUpTo): Promise<void> {
    this.#life.to('writing');
    let transaction: Transaction | undefined;
    const attempt = `Writing ${records.length} records derived from ${consumed.topic}/${consumed.partition} up to offset ${consumed.nextOffset}`;
    try {
      const requests = await this.#toRequests(records, consumed.partition);
      const work = async (): Promise<void> => {
        transaction = await this.#producer.transaction();
        for (const request of requests) await send(transaction, request);
        const partitions = [{ partition: consumed.partition, offset: String(consumed.nextOffset) }];
        await transaction.sendOffsets({
          consumerGroupId: consumed.groupId,
          topics: [{ topic: consumed.topic, partitions }],
        });
        await transaction.commit();
      };
      await within(this.#options.timeoutMs, work());
      this.#life.to('ready');
    } catch (error) {
      this.#life.to('broken');
      await this.#abandon(transaction);
      throw this.#failure(error, attempt);
    }
  }

  /** Lets go of the connection; a broken writer's transaction is ended by its successor. Never throws. */
  async close(): Promise<void> {
    this.#life.to('closed');
    // kafkajs waits for replies that may never come.
    await within(1_000, this.#producer.disconnect()).catch(() => undefined);
  }

  /** kafkajs asks for its producer id, which is what fences, only when its first transaction begins. An empty one costs nothing. */
  async #fence(): Promise<void> {
    await this.#producer.connect();
    const transaction = await this.#producer.transaction();
    await transaction.abort();
  }

  /** Readers need not wait for a transaction that will come to nothing. It may fail like all else; the successor does it again. */
  async #abandon(transaction: Transaction | undefined): Promise<void> {
    if (transaction?.isActive() !== true) return;
    await within(2_000, transaction.abort()).catch(() => undefined);
  }

  /** One topic and partition a request, since kafkajs may lose or double records when it repeats one that spans brokers. */
  async #toRequests(records: readonly OutgoingRecord[], sourcePartition: number): Promise<Request[]> {
    const open = new Map<string, Request>();
    const requests: Request[] = [];
    for (const { topic, key, value, headers, timestampMs } of records) {
      const { partitions, requestBytes } = await this.#target(topic);
      // Without a key, records keep the order they had in their partition.
      const partition = key === null ? sourcePartition % partitions : partitionOfKey(key, partitions);
      const bytes = recordBytes({ key, value, headers });
      const place = `${topic}/${partition}`;
      let request = open.get(place);
      if (
        request === undefined ||
        request.bytes + bytes > requestBytes ||
        request.messages.length >= MAX_REQUEST_RECORDS
      ) {
        request = { topic, partition, bytes: 0, messages: [] };
        open.set(place, request);
        requests.push(request);
      }
      request.bytes += bytes;
      request.messages.push({
        key,
        value,
        headers,
        partition,
        ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
      });
    }
    return requests;
  }

  async #target(topic: string): Promise<Target> {
    const known = this.#targets.get(topic);
    if (known !== undefined) return known;
    const { topics, limits, makeTopic } = this.#options;
    let partitions = await topics.partitionCount(topic);
    if (partitions === undefined) {
      await makeTopic(topic);
      partitions = await topics.partitionCount(topic);
    }
    if (partitions === undefined || partitions === 0) {
      throw new GridError(
        'kafka-unavailable',
        `Writing to Kafka topic ${topic}: it was made but is not known yet. It is tried again.`,
      );
    }
    const target = { partitions, requestBytes: Math.min(MAX_REQUEST_BYTES, await limits.maxMessageBytes(topic)) };
    this.#targets.set(topic, target);
    return target;
  }

  #failure(error: unknown, attempt: string): GridError {
    if (error instanceof GridError) return error;
    const type = protocolErrorType(error);
    const text = `${attempt}: ${failureText(error)}.`;
    if (type !== undefined && FENCED.has(type)) {
      return new GridError(
        'fenced',
        `${text} A newer writer has taken over, or Kafka ended the transaction; it is begun anew.`,
        {
          cause: error,
        },
      );
    }
    const kind = produceFailureKind(error);
    if (kind === 'refused' || kind === 'too-large' || (type?.endsWith('_AUTHORIZATION_FAILED') ?? false)) {
      return new GridError(
        'kafka-refused',
        `${text} Check the topic's settings (max.message.bytes) and the rights on it.`,
        {
          cause: error,
        },
      );
    }
    return new GridError('kafka-unavailable', `${text} It is tried again.`, { cause: error });
  }
}

/** Kafka's answers to a writer that is no longer the newest of its transactional id. */
const FENCED = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
]);

/** What is known of a topic that is written to. */
interface Target {
  readonly partitions: number;
  /** Records of a request together stay below this, unless a single one is larger. */
  readonly requestBytes: number;
}

interface Request {
  readonly topic: string;
  readonly partition: number;
  bytes: number;
  readonly messages: Message[];
}

async function send(transaction: Transaction, { topic, partition, messages }: Request): Promise<void> {
  const results = await transaction.send({ topic, messages, acks: -1 });
  // Of a partition that its metadata does not list, kafkajs forgets the records and reports success.
  if (!results.some((result) => result.partition === partition && result.errorCode === 0)) {
    throw new Error(`Kafka's reply does not mention ${topic}/${partition}`);
  }
}

/** Fields of a record batch and of a record beside its key, value and headers, at their longest. */
const BATCH_OVERHEAD_BYTES = 61;
const RECORD_OVERHEAD_BYTES = 36;
const HEADER_OVERHEAD_BYTES = 10;

/** An upper bound of the bytes that a record takes up in Kafka as a batch of its own, uncompressed: what `max.message.bytes` limits. */
export function recordBytes(record: Pick<OutgoingRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = BATCH_OVERHEAD_BYTES + RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const [name, values] of Object.entries(record.headers)) {
    for (const value of Array.isArray(values) ? values : [values ?? '']) {
      bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(value);
    }
  }
  return bytes;
}
