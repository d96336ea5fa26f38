import { createImportMetrics } from '../../activities/import/metrics.ts';
import { importOptionsFromConfig } from '../../activities/import/create.ts';
import type { ImportDependencies } from '../../activities/import/dependencies.ts';
import { openSourceFromConfig } from '../../activities/import/open/open-source.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import type { TemporalClient } from '../../connectors/temporal/client.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Registry } from '../../runtime/metrics.ts';

export interface OpenedDependencies {
  readonly dependencies: ImportDependencies;
  close(): Promise<void>;
}

/**
 * What the import's activities work with, as it is configured. Connects to nothing yet.
 *
 * @throws GridError `invalid-configuration`
 */
export async function openImportDependencies(
  config: Config,
  temporal: TemporalClient,
  logger: Logger,
  metrics: Registry,
): Promise<OpenedDependencies> {
  const hdfs = new HdfsClient({
    nameNodeUrls: config.WEBHDFS_URL,
    user: config.HDFS_USER,
    callTimeoutMs: config.HDFS_CALL_TIMEOUT_MS,
    onRetry: ({ operation, path, retry, error }) => {
      logger.debug({ operation, path, retry, code: error.code }, 'HDFS call repeated');
    },
  });
  const hive = new HiveClient({
    url: config.HIVE_URL,
    user: config.HDFS_USER,
    callTimeoutMs: config.HIVE_CALL_TIMEOUT_MS,
    logger,
  });
  const dependencies: ImportDependencies = {
    options: await importOptionsFromConfig(config),
    hdfs,
    hive,
    openSource: (name) => openSourceFromConfig(config, name, logger),
    signalSnapshot: ({ workflowId, workflowRunId }, taken) =>
      temporal.call(`Telling ${workflowId} of its snapshot`, (client) =>
        client.workflow.getHandle(workflowId, workflowRunId).signal('snapshotTaken', taken),
      ),
    logger,
    observer: createImportMetrics(metrics),
  };
  return {
    dependencies,
    async close() {
      await Promise.allSettled([hdfs.close(), hive.close()]);
    },
  };
}
