import type {
  ConsumedBatch,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type { OutgoingRecord, TransactionalWriter } from '../../../connectors/kafka/produce/transactional-writer.ts';
import type { ErrorCode } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { Counter, type Registry } from '../../../runtime/metrics.ts';
import { OutcomeCounter, routedRecords, type DecodeAndRoute } from '../routed-records.ts';
import { deadLetter, originalHeaders } from './dead-letter.ts';

export interface RouterSinkOptions extends DecodeAndRoute {
  /** Makes the writer for a transactional id; one is used per ownership of a partition. */
  readonly createWriter: (transactionalId: string) => TransactionalWriter;
  readonly deadLetterTopic: string;
  /** The largest record batch that the dead-letter topic takes, bytes; makes the topic if it is not there. */
  readonly deadLetterMaxBytes: () => Promise<number>;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/**
 * The router: copies the readings whose route names a topic of its own to that topic, and sets aside in the dead-letter
 * topic what cannot be read. What it writes for a batch and the offset behind the batch are one Kafka transaction, so
 * readers of committed records see each copy exactly once.
 *
 * The transactional id is the partition's. A worker that takes a partition over thereby fences off the one that had it, and
 * only then asks for the committed offset; the old one may be slow, but can write nothing any more.
 */
export function createRouterSink(options: RouterSinkOptions): (context: PartitionContext) => PartitionProcessor {
  const registers = [options.metrics];
  const counters: RouterCounters = {
    records: new OutcomeCounter(
      options.metrics,
      'powergrid_router_records_total',
      'Records that the router has read, by what became of them.',
    ),
    copies: new Counter({
      name: 'powergrid_router_copies_total',
      help: 'Readings copied to the topic that their route names.',
      labelNames: ['topic'] as const,
      registers,
    }),
    deadLetters: new Counter({
      name: 'powergrid_router_dead_letters_total',
      help: 'Records set aside in the dead-letter topic, by error code.',
      labelNames: ['code'] as const,
      registers,
    }),
    unknownSensors: new Counter({
      name: 'powergrid_router_unmatched_readings_total',
      help: 'Readings that no route of the file names; they take the default route and are kept.',
      registers,
    }),
  };
  return (context) => new RouterSinkPartition(options, context, counters);
}

/** What became of a record; the label of the router's counter. */
type Outcome = 'passed' | 'copied' | 'dead-letter';

interface RouterCounters {
  readonly records: OutcomeCounter<Outcome>;
  readonly copies: Counter<'topic'>;
  readonly deadLetters: Counter<'code'>;
  readonly unknownSensors: Counter;
}

/** A stream of nothing but bad records must not fill the log as well. */
const WARN_EVERY_MS = 30_000;

class RouterSinkPartition implements PartitionProcessor {
  readonly #options: RouterSinkOptions;
  readonly #context: PartitionContext;
  readonly #counters: RouterCounters;
  readonly #writer: TransactionalWriter;
  #deadLetterMaxBytes = 0;
  #unreported = 0;
  #warnedAtMs = -Infinity;

  constructor(options: RouterSinkOptions, context: PartitionContext, counters: RouterCounters) {
    this.#options = options;
    this.#context = context;
    this.#counters = counters;
    this.#writer = options.createWriter(`${context.groupId}-${context.topic}-${context.partition}`);
  }

  /** Fences first: the committed offset, which is read after this, then no longer changes behind our back. */
  async open(): Promise<'committed'> {
    await this.#writer.open();
    this.#deadLetterMaxBytes = await this.#options.deadLetterMaxBytes();
    return 'committed';
  }

  async process(batch: ConsumedBatch): Promise<void> {
    const derived = this.#derive(batch);
    if (derived.outgoing.length === 0) {
      await this.#context.commitOffset(batch.nextOffset);
    } else {
      // Kafka checks the group membership of this commit, not of a transaction's. A worker that has lost the partition but not yet
      // noticed is stopped here, so it cannot fence off the new owner and then write in its place.
      const [first] = batch.records;
      await this.#context.commitOffset(first?.offset ?? batch.nextOffset);
      const { groupId, topic, partition } = this.#context;
      await this.#writer.write(derived.outgoing, { groupId, topic, partition, nextOffset: batch.nextOffset });
    }
    this.#count(derived);
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }

  #derive(batch: ConsumedBatch): Derived {
    const { deadLetterTopic } = this.#options;
    const derived: Derived = { outgoing: [], copies: new Map(), rejections: new Map(), passed: 0, unmatched: 0 };
    for (const routed of routedRecords(batch, this.#options)) {
      const { record } = routed;
      if (routed.kind === 'unreadable') {
        const source = { topic: batch.topic, partition: batch.partition, record };
        derived.outgoing.push(deadLetter(deadLetterTopic, source, routed.rejection, this.#deadLetterMaxBytes));
        increment(derived.rejections, routed.rejection.code);
        continue;
      }
      const { route } = routed;
      if (!route.matched) derived.unmatched++;
      // A route back into the source would go round for ever.
      if (route.topic === undefined || route.topic === batch.topic) {
        derived.passed++;
        continue;
      }
      derived.outgoing.push({
        topic: route.topic,
        key: record.key,
        value: record.value,
        headers: originalHeaders(record),
        timestampMs: record.timestampMs,
      });
      increment(derived.copies, route.topic);
    }
    return derived;
  }

  #count({ copies, rejections, passed, unmatched }: Derived): void {
    const counters = this.#counters;
    let deadLetters = 0;
    for (const [code, records] of rejections) {
      counters.deadLetters.inc({ code }, records);
      deadLetters += records;
    }
    for (const [topic, records] of copies) {
      counters.copies.inc({ topic }, records);
      counters.records.add('copied', records);
    }
    counters.records.add('dead-letter', deadLetters);
    counters.records.add('passed', passed);
    if (unmatched > 0) counters.unknownSensors.inc(unmatched);
    if (deadLetters > 0) this.#warn(deadLetters, rejections);
  }

  #warn(deadLetters: number, rejections: ReadonlyMap<ErrorCode, number>): void {
    this.#unreported += deadLetters;
    const nowMs = performance.now();
    if (nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    const { topic, partition } = this.#context;
    this.#options.logger.warn(
      { topic, partition, deadLetterTopic: this.#options.deadLetterTopic, codes: Object.fromEntries(rejections) },
      `${this.#unreported} records could not be read; they were set aside`,
    );
    this.#unreported = 0;
    this.#warnedAtMs = nowMs;
  }
}

/** What follows from a batch. */
interface Derived {
  readonly outgoing: OutgoingRecord[];
  readonly copies: Map<string, number>;
  readonly rejections: Map<ErrorCode, number>;
  passed: number;
  unmatched: number;
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
