import type { PartitionContext, PartitionProcessor } from '../../connectors/kafka/consume/consumed.ts';
import type { DecodeLimits } from '../../grid/envelope.ts';
import type { SinkName } from '../../grid/sinks.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { Routes } from '../routes/routes-file.ts';
import type { OnCommitPoint } from './hdfs/commit-point.ts';

/** One sink of the speed layer: a consumer group of its own over some topics, and what it does with a partition. */
export interface Sink {
  readonly name: SinkName;
  readonly topics: readonly string[];
  readonly createProcessor: (context: PartitionContext) => PartitionProcessor;
  /** What of the sink's data needs somebody's attention, in sentences; shown at `/readyz` beside what its consumer has to say. */
  readonly problems?: () => readonly string[];
  /** Lets go of the sink's connections, after its consumer has stopped. Never throws. */
  readonly close: () => Promise<void>;
}

/** What sinks are made from. */
export interface SinkEnvironment {
  readonly config: Config;
  readonly routes: Routes;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** For the crash tests: told of every point of the commit protocol. */
  readonly onCommitPoint?: OnCommitPoint;
}

/** Makes a sink with its connections as the configuration describes it; the export `openSink` of its folder's `open-sink.ts`. */
export type OpenSink = (environment: SinkEnvironment, limits: DecodeLimits) => Sink | Promise<Sink>;
