import type {
  ConsumedBatch,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type { MongodbConnection, NewDocument } from '../../../connectors/mongodb/connection.ts';
import type { Registry } from '../../../runtime/metrics.ts';
import { OutcomeCounter, ReadingsFor, type DecodeAndRoute } from '../routed-records.ts';
import { envelopeDocument } from './envelope-document.ts';

export interface MongodbSinkOptions extends DecodeAndRoute {
  readonly connection: MongodbConnection;
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
  const outcomes = new OutcomeCounter<Outcome>(
    options.metrics,
    'powergrid_mongodb_sink_records_total',
    'Records that the document sink has read, by what became of them.',
  );
  return (context) => new MongodbSinkPartition(options, context, outcomes);
}

class MongodbSinkPartition implements PartitionProcessor {
  readonly #options: MongodbSinkOptions;
  readonly #context: PartitionContext;
  readonly #outcomes: OutcomeCounter<Outcome>;

  constructor(options: MongodbSinkOptions, context: PartitionContext, outcomes: OutcomeCounter<Outcome>) {
    this.#options = options;
    this.#context = context;
    this.#outcomes = outcomes;
  }

  async open(): Promise<'committed'> {
    await this.#options.connection.whenReady();
    return 'committed';
  }

  async process(batch: ConsumedBatch): Promise<void> {
    const prefix = `${batch.topic}+${batch.partition}+`;
    const readings = new ReadingsFor('mongodb', batch, this.#options);
    let documents: NewDocument[] = [];
    let bytes = 0;
    for (const { record, reading, value } of readings) {
      documents.push(envelopeDocument(`${prefix}${record.offset}`, value, reading));
      bytes += value.length;
      if (documents.length >= DOCUMENTS_PER_INSERT || bytes >= BYTES_PER_INSERT) {
        await this.#insert(documents);
        documents = [];
        bytes = 0;
      }
    }
    await this.#insert(documents);
    this.#outcomes.add('unreadable', readings.unreadable);
    this.#outcomes.add('switched-off', readings.switchedOff);
    await this.#context.commitOffset(batch.nextOffset);
  }

  /** Nothing is held between batches. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #insert(documents: readonly NewDocument[]): Promise<void> {
    const inserted = await this.#options.connection.insertNew(this.#context.topic, documents);
    this.#outcomes.add('inserted', inserted);
    this.#outcomes.add('present', documents.length - inserted);
  }
}
