import { PostgresSource } from '../../../connectors/postgres/source.ts';
import { SqlServerSource } from '../../../connectors/sqlserver/source.ts';
import { GridError } from '../../../grid/errors.ts';
import type { SourceName } from '../../../grid/history/import-input.ts';
import type { SqlSource } from '../../../grid/history/sql-source.ts';
import type { Config } from '../../../runtime/config.ts';
import type { Logger } from '../../../runtime/logger.ts';

/** The history database of a name, as the configuration says; connects to nothing yet. @throws GridError `invalid-configuration` */
export function openSourceFromConfig(config: Config, name: SourceName, logger: Logger): SqlSource {
  const connectTimeoutMs = config.HISTORY_CONNECT_TIMEOUT_MS;
  if (name === 'postgres') return new PostgresSource({ url: config.HISTORY_POSTGRES_URL, connectTimeoutMs, logger });
  if (config.HISTORY_MSSQL_URL === '') {
    throw new GridError(
      'invalid-configuration',
      'Opening the SQL Server with history: no address is configured. Set HISTORY_MSSQL_URL.',
    );
  }
  return new SqlServerSource({ url: config.HISTORY_MSSQL_URL, connectTimeoutMs, logger });
}
