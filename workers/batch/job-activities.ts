import { join, resolve } from 'node:path';
import { createCompactionActivities } from '../../activities/compaction/create.ts';
import { createDiscoveryActivities } from '../../activities/discovery/create.ts';
import type { DiscoveryDependencies } from '../../activities/discovery/dependencies.ts';
import { WorkDirectories } from '../../activities/discovery/work-directories.ts';
import { createFetchActivities } from '../../activities/fetch/create.ts';
import { createImportActivities, importOptionsFromConfig } from '../../activities/import/create.ts';
import type { ImportDependencies } from '../../activities/import/dependencies.ts';
import { createImportMetrics } from '../../activities/import/metrics.ts';
import { sourcesFromConfig } from '../../activities/import/open/open-source.ts';
import { createQueryActivities } from '../../activities/query/create.ts';
import type { QueryDependencies } from '../../activities/query/dependencies.ts';
import type { ReadingsDependencies } from '../../activities/readings/dependencies.ts';
import { refreshReadings } from '../../activities/readings/refresh-readings.ts';
import { createReplayActivities } from '../../activities/replay/create.ts';
import { createReportActivities } from '../../activities/report/create.ts';
import { createRetryActivities } from '../../activities/retry/create.ts';
import { createTablesActivities } from '../../activities/tables/create.ts';
import type { TablesDependencies } from '../../activities/tables/dependencies.ts';
import { createViewsActivities } from '../../activities/views/create.ts';
import type { ViewsDependencies } from '../../activities/views/dependencies.ts';
import type { WordsDependencies } from '../../activities/words/dependencies.ts';
import { createWordsActivities } from '../../activities/words/create.ts';
import { signalWorkflow } from '../../connectors/temporal/executions.ts';
import { compactionContract } from '../../workflows/compaction/contract.ts';
import { discoveryContract } from '../../workflows/discovery/contract.ts';
import { fetchContract } from '../../workflows/fetch/contract.ts';
import { importContract } from '../../workflows/import/contract.ts';
import { queryContract } from '../../workflows/query/contract.ts';
import { replayContract } from '../../workflows/replay/contract.ts';
import { reportContract } from '../../workflows/report/contract.ts';
import { retryContract } from '../../workflows/retry/contract.ts';
import { tablesContract } from '../../workflows/tables/contract.ts';
import { viewsContract } from '../../workflows/views/contract.ts';
import { wordsContract } from '../../workflows/words/contract.ts';
import { replayDependencies } from './replay-dependencies.ts';
import type { BatchServices } from './services.ts';

/** What does the work of a job: its activities by their names. */
export type Activities = Readonly<Record<string, (request: never) => Promise<unknown>>>;

/**
 * The activities of every job, by workflow type.
 *
 * @throws GridError `invalid-configuration`
 */
export async function jobActivities(services: BatchServices): Promise<ReadonlyMap<string, Activities>> {
  const { config, temporal, logger } = services;
  const discovery = discoveryDependencies(services);
  return new Map<string, Activities>([
    [importContract.workflowType, { ...createImportActivities(await importDependencies(services)) }],
    [retryContract.workflowType, { ...createRetryActivities({ client: temporal, logger }) }],
    [wordsContract.workflowType, { ...createWordsActivities(wordsDependencies(services)) }],
    [viewsContract.workflowType, { ...createViewsActivities(viewsDependencies(services)) }],
    [compactionContract.workflowType, { ...createCompactionActivities(readingsDependencies(services)) }],
    [tablesContract.workflowType, { ...createTablesActivities(tablesDependencies(services)) }],
    [discoveryContract.workflowType, { ...createDiscoveryActivities(discovery) }],
    [
      fetchContract.workflowType,
      { ...createFetchActivities({ ...discovery, directory: config.HDFS_UNORGANIZED_DIRECTORY }) },
    ],
    [replayContract.workflowType, { ...createReplayActivities(replayDependencies(services)) }],
    [queryContract.workflowType, { ...createQueryActivities(queryDependencies(services)) }],
    [
      reportContract.workflowType,
      {
        ...createReportActivities({
          ...queryDependencies(services),
          reports: services.reports,
          database: config.HIVE_DATABASE,
        }),
      },
    ],
  ]);
}

function wordsDependencies({ config, hdfs, hive, answers, serving }: BatchServices): WordsDependencies {
  return {
    hdfs,
    hive,
    answers,
    serving,
    analysisDirectory: config.HDFS_ANALYSIS_DIRECTORY,
    sampleTextsDirectory: config.HDFS_SAMPLE_TEXTS_DIRECTORY,
    database: config.HIVE_ANALYSIS_DATABASE,
  };
}

function viewsDependencies({ config, hdfs, hive, serving }: BatchServices): ViewsDependencies {
  return {
    hdfs,
    hive,
    serving,
    topicsDirectory: config.HDFS_TOPICS_DIRECTORY,
    topic: config.TOPIC_INGESTION,
    analysisDirectory: config.HDFS_ANALYSIS_DIRECTORY,
    database: config.HIVE_ANALYSIS_DATABASE,
  };
}

function queryDependencies(services: BatchServices): QueryDependencies {
  const { config, hdfs, queries, queryAudit } = services;
  const readings = readingsDependencies(services);
  const { HDFS_TOPICS_DIRECTORY, HDFS_IMPORTS_DIRECTORY, HDFS_UNORGANIZED_DIRECTORY } = config;
  return {
    hdfs,
    hive: queries,
    audit: queryAudit,
    analysisDirectory: config.HDFS_ANALYSIS_DIRECTORY,
    dataDirectories: [HDFS_TOPICS_DIRECTORY, HDFS_IMPORTS_DIRECTORY, HDFS_UNORGANIZED_DIRECTORY],
    mayWrite: config.HIVE_QUERY_WRITES === 'on',
    refreshReadings: async (signal) => {
      await refreshReadings(readings, signal);
    },
  };
}

function readingsDependencies({ config, hdfs, hive }: BatchServices): ReadingsDependencies {
  return {
    hdfs,
    hive,
    topicsDirectory: config.HDFS_TOPICS_DIRECTORY,
    topic: config.TOPIC_INGESTION,
    analysisDirectory: config.HDFS_ANALYSIS_DIRECTORY,
    database: config.HIVE_DATABASE,
    workDatabase: config.HIVE_ANALYSIS_DATABASE,
    graceMs: config.READINGS_GRACE_SECONDS * 1_000,
  };
}

function tablesDependencies(services: BatchServices): TablesDependencies {
  const { config, hdfs, hive } = services;
  return {
    hdfs,
    hive,
    database: config.HIVE_DATABASE,
    analysisDirectory: config.HDFS_ANALYSIS_DIRECTORY,
    sampleTextsDirectory: config.HDFS_SAMPLE_TEXTS_DIRECTORY,
    unorganizedDirectory: config.HDFS_UNORGANIZED_DIRECTORY,
    importsDirectory: config.HDFS_IMPORTS_DIRECTORY,
    hiveDatabasePrefix: config.HIVE_DATABASE_PREFIX,
    readings: readingsDependencies(services),
  };
}

function discoveryDependencies({ config, hdfs, catalogue, identifier }: BatchServices): DiscoveryDependencies {
  const directory = config.HDFS_UNORGANIZED_DIRECTORY;
  return {
    hdfs,
    catalogue,
    identifier,
    work: new WorkDirectories(
      resolve(
        config.LEGACY_WORK_DIRECTORY === '' ? join(config.STACK_HOME, 'legacy-work') : config.LEGACY_WORK_DIRECTORY,
      ),
    ),
    sourceOptions: { hdfs, maxFileBytes: config.LEGACY_MAX_FILE_BYTES, landingDirectory: directory },
    options: {
      directory,
      share: config.LEGACY_SHARE,
      budget: {
        depth: config.LEGACY_MAX_DEPTH,
        bytes: config.LEGACY_MAX_UNPACKED_BYTES,
        entries: config.LEGACY_MAX_UNPACKED_ENTRIES,
      },
    },
  };
}

async function importDependencies(services: BatchServices): Promise<ImportDependencies> {
  const { config, temporal, hdfs, hive, logger, metrics } = services;
  return {
    options: await importOptionsFromConfig(config),
    hdfs,
    hive,
    openSource: await sourcesFromConfig(config, logger),
    signalSnapshot: ({ workflowId, workflowRunId }, taken) =>
      signalWorkflow(
        temporal,
        { workflowId, runId: workflowRunId },
        { name: 'snapshotTaken', payload: taken, attempt: `Telling ${workflowId} of its snapshot` },
      ),
    logger,
    observer: createImportMetrics(metrics),
  };
}
