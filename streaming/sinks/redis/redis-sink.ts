import type {
  ConsumedBatch,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type { NewestValues, PositionOwner } from '../../../connectors/redis/newest-values.ts';
import { decodeEnvelope, type DecodeLimits } from '../../../grid/envelope.ts';
import { Counter, type Registry } from '../../../runtime/metrics.ts';
import type { Routes } from '../../routes/routes-file.ts';
import { NewestFold } from './newest-fold.ts';

export interface RedisSinkOptions {
  readonly values: NewestValues;
  readonly routes: Routes;
  readonly limits: DecodeLimits;
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
  const counter = new Counter({
    name: 'powergrid_redis_sink_records_total',
    help: 'Records that the newest-value sink has read, by what became of them.',
    labelNames: ['outcome'] as const,
    registers: [options.metrics],
  });
  const count = (outcome: Outcome, records: number): void => {
    if (records > 0) counter.inc({ outcome }, records);
  };
  return (context) => new RedisSinkPartition(options, context, count);
}

class RedisSinkPartition implements PartitionProcessor {
  readonly #options: RedisSinkOptions;
  readonly #context: PartitionContext;
  readonly #count: (outcome: Outcome, records: number) => void;
  readonly #owner: PositionOwner;
  /** The position that Redis acknowledged last. */
  #acknowledged: number | undefined;

  constructor(
    options: RedisSinkOptions,
    context: PartitionContext,
    count: (outcome: Outcome, records: number) => void,
  ) {
    this.#options = options;
    this.#context = context;
    this.#count = count;
    this.#owner = { group: context.groupId, topic: context.topic, partition: context.partition };
  }

  /** An empty Redis is filled from the beginning: the group's committed offset says nothing about what is in it. */
  async open(): Promise<number> {
    this.#acknowledged = await this.#options.values.position(this.#owner);
    return this.#acknowledged ?? 0;
  }

  async process(batch: ConsumedBatch): Promise<void> {
    const { limits } = this.#options;
    const routes = this.#options.routes.current();
    const fold = new NewestFold(this.#context.partition);
    let readable = 0;
    let unreadable = 0;
    let switchedOff = 0;
    for (const record of batch.records) {
      const { value } = record;
      const decoded = decodeEnvelope(value, record.timestampMs, limits);
      if (!decoded.ok || value === null) {
        unreadable++;
      } else if (!routes.routeOf(decoded.reading).sinks.redis) {
        switchedOff++;
      } else {
        readable++;
        fold.add(decoded.reading, record.offset, value);
        if (fold.size >= SENSORS_PER_STEP) {
          await this.#step(fold, record.offset + 1, readable);
          readable = 0;
        }
      }
    }
    await this.#step(fold, batch.nextOffset, readable);
    this.#count('unreadable', unreadable);
    this.#count('switched-off', switchedOff);
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
    this.#count('written', written);
    this.#count('not-newer', readings - written);
  }
}
