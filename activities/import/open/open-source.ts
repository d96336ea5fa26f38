import { PostgresSource } from '../../../connectors/postgres/source.ts';
import { GridError } from '../../../grid/errors.ts';
import type { SourceName, SqlSource } from '../../../grid/history/sql-source.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Logger } from '../../../runtime/logger.ts';

/**
 * What opens the history database of a name, as the configuration says; connects to nothing. The driver of SQL Server takes some 20 MB of
 * memory, so it is loaded only where an address is configured.
 *
 * @returns a function that throws GridError `invalid-configuration`
 */
export async function sourcesFromConfig(config: Config, logger: Logger): Promise<(name: SourceName) => SqlSource> {
  const connectTimeoutMs = config.HISTORY_CONNECT_TIMEOUT_MS;
  const sqlServerUrl = config.HISTORY_MSSQL_URL;
  const sqlServer = sqlServerUrl === '' ? undefined : await import('../../../connectors/sqlserver/source.ts');
  return (name) => {
    if (name === 'postgres') return new PostgresSource({ url: config.HISTORY_POSTGRES_URL, connectTimeoutMs, logger });
    if (sqlServer === undefined) {
      throw new GridError(
        'invalid-configuration',
        'Opening the SQL Server with history: no address is configured. Set HISTORY_MSSQL_URL.',
      );
    }
    return new sqlServer.SqlServerSource({ url: sqlServerUrl, connectTimeoutMs, logger });
  };
}
