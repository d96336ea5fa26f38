import { createImportActivities, importOptionsFromConfig } from '../../activities/import/create.ts';
import type { ImportDependencies } from '../../activities/import/dependencies.ts';
import { createImportMetrics } from '../../activities/import/metrics.ts';
import { createRetryActivities } from '../../activities/retry/create.ts';
import { PostgresSource } from '../../connectors/postgres/source.ts';
import { signalWorkflow } from '../../connectors/temporal/executions.ts';
import { GridError } from '../../grid/errors.ts';
import type { SourceName } from '../../grid/history/import-input.ts';
import type { SqlSource } from '../../grid/history/sql-source.ts';
import { importContract } from '../../workflows/import/contract.ts';
import { retryContract } from '../../workflows/retry/contract.ts';
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
  ]);
}

async function importDependencies(services: BatchServices): Promise<ImportDependencies> {
  const { config, temporal, hdfs, hive, logger, metrics } = services;
  return {
    options: await importOptionsFromConfig(config),
    hdfs,
    hive,
    openSource: await sourcesOf(services),
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

/** How the sources that are configured are opened. The driver of SQL Server takes 25 MB of memory, so it is loaded only where it is used. */
async function sourcesOf({ config, logger }: BatchServices): Promise<(name: SourceName) => SqlSource> {
  const connectTimeoutMs = config.HISTORY_CONNECT_TIMEOUT_MS;
  const sqlServerUrl = config.HISTORY_MSSQL_URL;
  const sqlServer = sqlServerUrl === '' ? undefined : await import('../../connectors/sqlserver/source.ts');
  return (name) => {
    if (name === 'postgres') {
      return new PostgresSource({ url: config.HISTORY_POSTGRES_URL, connectTimeoutMs, logger });
    }
    if (sqlServer !== undefined) {
      return new sqlServer.SqlServerSource({ url: sqlServerUrl, connectTimeoutMs, logger });
    }
    throw new GridError(
      'invalid-configuration',
      'Opening the source sqlserver: HISTORY_MSSQL_URL is empty. Set it to the address of the database.',
    );
  };
}
