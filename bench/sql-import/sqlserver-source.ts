/** SQL Server: the import beside a bare streamed SELECT. */
import { runSide } from '../compare/side.ts';
import type { BareSqlServerRun } from './run.ts';
import { importSide, type Bench, type Side, type Source } from './side.ts';
import { dropSqlServerTelemetry, prepareSqlServerTelemetry } from './sqlserver-table.ts';

/** Undefined when no SQL Server is configured. */
export function sqlServerSource(bench: Bench): Source | undefined {
  const databaseUrl = bench.config.HISTORY_MSSQL_URL;
  if (databaseUrl === '') return undefined;
  return {
    title: 'SQL Server',
    prepare: () => prepareSqlServerTelemetry(databaseUrl, bench.rows, bench.signal),
    sides: (table) =>
      Promise.resolve(
        new Map<string, Side>([
          ['import (gzip, verified)', importSide(bench, 'sqlserver', table)],
          [
            'bare mssql (streamed SELECT, rows dropped)',
            async () => {
              const qualified = `${table.schema}.${table.name}`;
              const run: BareSqlServerRun = { databaseUrl, table: qualified, records: table.content.rows };
              return { result: await runSide('bench/sql-import/bare-sqlserver.ts', [], run, bench.signal) };
            },
          ],
        ]),
      ),
    drop: (table) => dropSqlServerTelemetry(databaseUrl, table),
  };
}
