import { createImportActivities, importOptionsFromConfig } from '../../activities/import/create.ts';
import type { ImportDependencies } from '../../activities/import/dependencies.ts';
import { createImportMetrics } from '../../activities/import/metrics.ts';
import { sourcesFromConfig } from '../../activities/import/open/open-source.ts';
import { createRetryActivities } from '../../activities/retry/create.ts';
import { createViewsActivities } from '../../activities/views/create.ts';
import type { ViewsDependencies } from '../../activities/views/dependencies.ts';
import type { WordsDependencies } from '../../activities/words/dependencies.ts';
import { createWordsActivities } from '../../activities/words/create.ts';
import { signalWorkflow } from '../../connectors/temporal/executions.ts';
import { importContract } from '../../workflows/import/contract.ts';
import { retryContract } from '../../workflows/retry/contract.ts';
import { viewsContract } from '../../workflows/views/contract.ts';
import { wordsContract } from '../../workflows/words/contract.ts';
import type { BatchServices } from './services.ts';

/** What does the work of a job: its activities by their names. */
export type Activities = Readonly<Record<string, (request: never) => Promise<unknown>>>;

/**
 * The activities of every job, by workflow type.
 *
 * @throws GridError `invalid-configuration`
 */
export async function jobActivities(services: BatchServices): Promise<ReadonlyMap<string, Activities>> {
  const { temporal, logger } = services;
  return new Map<string, Activities>([
    [importContract.workflowType, { ...createImportActivities(await importDependencies(services)) }],
    [retryContract.workflowType, { ...createRetryActivities({ client: temporal, logger }) }],
    [wordsContract.workflowType, { ...createWordsActivities(wordsDependencies(services)) }],
    [viewsContract.workflowType, { ...createViewsActivities(viewsDependencies(services)) }],
  ]);
}

function wordsDependencies({ config, hdfs, hive, answers }: BatchServices): WordsDependencies {
  return {
    hdfs,
    hive,
    answers,
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
