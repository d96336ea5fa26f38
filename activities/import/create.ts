import type { ImportActivities } from '../../workflows/import/activity-contract.ts';
import type { SourceName } from '../../grid/history/sql-source.ts';
import type { Config } from '../../runtime/config.ts';
import { bringSplits } from './copy/bring-splits.ts';
import type { ImportDependencies, ImportOptions } from './dependencies.ts';
import { discardWork } from './staging/discard-work.ts';
import { holdSnapshot } from './hold-snapshot.ts';
import { openImport } from './open/open-import.ts';
import { planTable } from './plan/plan-table.ts';
import { publishTable } from './publish/publish-table.ts';
import { loadTelemetryFile } from './publish/telemetry-file.ts';

/** The activities of `importSqlHistory`, each with what it needs. */
export function createImportActivities(deps: ImportDependencies): ImportActivities {
  return {
    openImport: (request) => openImport(deps, request),
    holdSnapshot: (run) => holdSnapshot(deps, run),
    planTable: (request) => planTable(deps, request),
    bringSplits: (stretch) => bringSplits(deps, stretch),
    publishTable: (request) => publishTable(deps, request),
    discardWork: (request) => discardWork(deps, request),
  };
}

/** What the configuration says of imports. @throws GridError `invalid-configuration`: the file of telemetry tables */
export async function importOptionsFromConfig(config: Config): Promise<ImportOptions> {
  const sources: SourceName[] = ['postgres'];
  if (config.HISTORY_MSSQL_URL !== '') sources.push('sqlserver');
  return {
    importsDirectory: config.HDFS_IMPORTS_DIRECTORY,
    hiveDatabasePrefix: config.HIVE_DATABASE_PREFIX,
    sources,
    maxConnections: config.HISTORY_MAX_CONNECTIONS,
    splitRows: config.HISTORY_SPLIT_ROWS,
    telemetry: await loadTelemetryFile(config.HISTORY_TELEMETRY_FILE),
    ...(config.HISTORY_MAX_BYTES_PER_SECOND === 0 ? {} : { maxBytesPerSecond: config.HISTORY_MAX_BYTES_PER_SECOND }),
  };
}
