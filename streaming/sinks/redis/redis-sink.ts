import type {
  ConsumedBatch,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type { NewestValues, PositionOwner } from '../../../connectors/redis/newest-values.ts';
import type { Registry } from '../../../runtime/metrics.ts';
import { OutcomeCounter, ReadingsFor, type DecodeAndRoute } from '../routed-records.ts';
import { NewestFold } from './newest-fold.ts';

export interface RedisSinkOptions extends DecodeAndRoute {
  readonly values: NewestValues;
  readonly metrics: Registry;
}

/** What became of a record; the label of the sink's counter. */
type Outcome = 'written' | 'not-newer' | 'switched-off' | 'unreadable';

/**
 * Sensors per step. Redis serves nobody else during a step, so this bounds how long other readers wait (about 10 ms); a
 * batch with more sensors takes several steps.
 */
const SENSORS_PER_STEP = 2_000;

/**
 * The sink of the newest values: `GET <sensor id>` in Redis returns, byte for byte, the envelope with the highest event
 * time (of equal ones the one with the highest offset), of either temporal aspect; beside it lies the newest of each aspect. A route may
 * switch it off for some.
 *
 * Where reading starts stands in Redis, beside the values, and moves with them in one step. The offset committed to Kafka
 * follows it and only shows the lag.
 */
export function createRedisSink(options: RedisSinkOptions): (context: PartitionContext) => PartitionProcessor {
  const outcomes = new OutcomeCounter<Outcome>(
    options.metrics,
    'powergrid_redis_sink_records_total',
    'Records that the newest-value sink has read, by what became of them.',
  );
  return (context) => new RedisSinkPartition(options, context, outcomes);
}

class RedisSinkPartition implements PartitionProcessor {
  readonly #options: RedisSinkOptions;
  readonly #context: PartitionContext;
  readonly #outcomes: OutcomeCounter<Outcome>;
  readonly #owner: PositionOwner;
  /** The position that Redis acknowledged last. */
  #acknowledged: number | undefined;

  constructor(options: RedisSinkOptions, context: PartitionContext, outcomes: OutcomeCounter<Outcome>) {
    this.#options = options;
    this.#context = context;
    this.#outcomes = outcomes;
    this.#owner = { group: context.groupId, topic: context.topic, partition: context.partition };
  }

  /** An empty Redis is filled from the beginning: the group's committed offset says nothing about what is in it. */
  async open(): Promise<number> {
    this.#acknowledged = await this.#options.values.position(this.#owner);
    return this.#acknowledged ?? 0;
  }

  async process(batch: ConsumedBatch): Promise<void> {
    const fold = new NewestFold(this.#context.partition);
    const readings = new ReadingsFor('redis', batch, this.#options);
    let folded = 0;
    for (const { record, reading, value } of readings) {
      folded++;
      fold.add(reading, record.offset, value);
      if (fold.size >= SENSORS_PER_STEP) {
        await this.#step(fold, record.offset + 1, folded);
        folded = 0;
      }
    }
    await this.#step(fold, batch.nextOffset, folded);
    this.#outcomes.add('unreadable', readings.unreadable);
    this.#outcomes.add('switched-off', readings.switchedOff);
    await this.#context.commitOffset(batch.nextOffset);
  }

  /** Nothing is held between batches. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #step(fold: NewestFold, to: number, readings: number): Promise<void> {
    const step = { from: this.#acknowledged, to };
    const written = await this.#options.values.offer(this.#owner, step, fold.drain());
    this.#acknowledged = to;
    this.#outcomes.add('written', written);
    this.#outcomes.add('not-newer', readings - written);
  }
}
