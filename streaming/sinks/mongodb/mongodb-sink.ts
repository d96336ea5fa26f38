import type {
  ConsumedBatch,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type { MongodbConnection, NewDocument } from '../../../connectors/mongodb/connection.ts';
import { decodeEnvelope, type DecodeLimits } from '../../../grid/envelope.ts';
import { Counter, type Registry } from '../../../runtime/metrics.ts';
import type { Routes } from '../../routes/routes-file.ts';
import { envelopeDocument } from './envelope-document.ts';

export interface MongodbSinkOptions {
  readonly connection: MongodbConnection;
  readonly routes: Routes;
  readonly limits: DecodeLimits;
  readonly metrics: Registry;
}

/** What became of a record; the label of the sink's counter. */
type Outcome = 'inserted' | 'present' | 'switched-off' | 'unreadable';

/** Bounds of one insert: what the server works on at a time, and what is held here as documents. */
const DOCUMENTS_PER_INSERT = 2_000;
const BYTES_PER_INSERT = 4 << 20;

/**
 * The sink of the documents: each readable record becomes one document in the collection named like its topic. Its `_id`
 * is the record's place in Kafka, so a record that is delivered again, or to two workers at once, is still one document.
 */
export function createMongodbSink(options: MongodbSinkOptions): (context: PartitionContext) => PartitionProcessor {
  const counter = new Counter({
    name: 'powergrid_mongodb_sink_records_total',
    help: 'Records that the document sink has read, by what became of them.',
    labelNames: ['outcome'] as const,
    registers: [options.metrics],
  });
  const count = (outcome: Outcome, records: number): void => {
    if (records > 0) counter.inc({ outcome }, records);
  };
  return (context) => new MongodbSinkPartition(options, context, count);
}

class MongodbSinkPartition implements PartitionProcessor {
  readonly #options: MongodbSinkOptions;
  readonly #context: PartitionContext;
  readonly #count: (outcome: Outcome, records: number) => void;

  constructor(
    options: MongodbSinkOptions,
    context: PartitionContext,
    count: (outcome: Outcome, records: number) => void,
  ) {
    this.#options = options;
    this.#context = context;
    this.#count = count;
  }

  async open(): Promise<'committed'> {
    await this.#options.connection.whenReady();
    return 'committed';
  }

  async process(batch: ConsumedBatch): Promise<void> {
    const { limits } = this.#options;
    const routes = this.#options.routes.current();
    const prefix = `${batch.topic}+${batch.partition}+`;
    let documents: NewDocument[] = [];
    let bytes = 0;
    let unreadable = 0;
    let switchedOff = 0;
    for (const { offset, value, timestampMs } of batch.records) {
      const decoded = decodeEnvelope(value, timestampMs, limits);
      if (!decoded.ok || value === null) {
        unreadable++;
        continue;
      }
      if (!routes.routeOf(decoded.reading).sinks.mongodb) {
        switchedOff++;
        continue;
      }
      documents.push(envelopeDocument(`${prefix}${offset}`, value, decoded.reading));
      bytes += value.length;
      if (documents.length >= DOCUMENTS_PER_INSERT || bytes >= BYTES_PER_INSERT) {
        await this.#insert(documents);
        documents = [];
        bytes = 0;
      }
    }
    await this.#insert(documents);
    this.#count('unreadable', unreadable);
    this.#count('switched-off', switchedOff);
    await this.#context.commitOffset(batch.nextOffset);
  }

  /** Nothing is held between batches. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #insert(documents: readonly NewDocument[]): Promise<void> {
    const inserted = await this.#options.connection.insertNew(this.#context.topic, documents);
    this.#count('inserted', inserted);
    this.#count('present', documents.length - inserted);
  }
}
