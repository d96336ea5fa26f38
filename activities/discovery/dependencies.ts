import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { LegacyCatalogue } from '../../connectors/mongodb/legacy-catalogue.ts';
import type { Budget, Identifier } from './identification/identifier.ts';
import type { SourceOptions } from './source/open-source.ts';
import type { WorkDirectories } from './work-directories.ts';

/** What the activities of discovery, and of fetching, need. */
export interface DiscoveryDependencies {
  readonly hdfs: HdfsClient;
  readonly catalogue: LegacyCatalogue;
  readonly identifier: Identifier;
  readonly work: WorkDirectories;
  readonly sourceOptions: SourceOptions;
  readonly options: DiscoveryOptions;
}

export interface DiscoveryOptions {
  /** HDFS directory of what is landed. */
  readonly directory: string;
  /** The share that is crawled when no other is named; empty: there is none. */
  readonly share: string;
  /** Of each file from the share, with all that is in it. */
  readonly budget: Budget;
}
