import type { PartitionContext, PartitionProcessor } from '../../connectors/kafka/consumed.ts';
import type { SinkName } from '../../runtime/config.ts';

/** One sink of the speed layer: a consumer group of its own over some topics, and what it does with a partition. */
export interface Sink {
  readonly name: SinkName;
  readonly topics: readonly string[];
  readonly createProcessor: (context: PartitionContext) => PartitionProcessor;
  /** Lets go of the sink's connections, after its consumer has stopped. Never throws. */
  readonly close: () => Promise<void>;
}
