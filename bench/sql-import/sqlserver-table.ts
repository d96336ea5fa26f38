/** The same table in SQL Server, which has no generator with a seed: its values follow from the row's number. */
import sql from 'mssql';
import { serverAddress } from '../../connectors/sqlserver/address.ts';
import type { TelemetryTable } from './telemetry-table.ts';

const SCHEMA = 'bench';
const CHUNK_ROWS = 500_000;

async function withPool<T>(
  url: string,
  signal: AbortSignal,
  work: (pool: sql.ConnectionPool) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { config } = serverAddress(url);
  const pool = new sql.ConnectionPool({ ...config, requestTimeout: 0, pool: { max: 1, min: 0 } });
  const cut = () => void pool.close();
  await pool.connect();
  signal.addEventListener('abort', cut, { once: true });
  try {
    return await work(pool);
  } finally {
    signal.removeEventListener('abort', cut);
    await pool.close();
  }
}

/** Finds `bench.telemetry_<rows>`, or makes it; one whose making was broken off is made anew. */
export function prepareSqlServerTelemetry(url: string, rows: number, signal: AbortSignal): Promise<TelemetryTable> {
  const name = `telemetry_${rows}`;
  const table = `${SCHEMA}.${name}`;
  const content = `SELECT COUNT_BIG(*) AS [rows], COALESCE(SUM(id), 0) AS ids, CAST(COALESCE(SUM(value_mw), 0) * 10000 AS bigint) AS [values],
    SUM(CAST(LEN(CONCAT_WS('|', id, sensor_id, measured_at, value_mw, [load], unit)) + 1 AS bigint)) AS bytes FROM ${table}`;
  return withPool(url, signal, async (pool) => {
    const look = async () => {
      const { recordset } = await pool.request().query<Record<'rows' | 'ids' | 'values' | 'bytes', string>>(content);
      return recordset[0];
    };
    const found = await pool.request().query<{ there: number | null }>(`SELECT OBJECT_ID('${table}', 'U') AS there`);
    let there = typeof found.recordset[0]?.there === 'number' ? await look() : undefined;
    const made = Number(there?.rows) !== rows;
    if (made) {
      await pool.request().batch(`IF SCHEMA_ID('${SCHEMA}') IS NULL EXEC('CREATE SCHEMA ${SCHEMA}')`);
      await pool.request().batch(`DROP TABLE IF EXISTS ${table}`);
      await pool.request().batch(`CREATE TABLE ${table} (
        id bigint NOT NULL PRIMARY KEY, sensor_id varchar(20) NOT NULL, measured_at datetimeoffset(0) NOT NULL,
        value_mw decimal(12,4) NOT NULL, [load] float NOT NULL, unit varchar(10) NOT NULL)`);
      for (let from = 0; from < rows; from += CHUNK_ROWS) {
        signal.throwIfAborted();
        await pool.request().batch(fill(table, from, Math.min(CHUNK_ROWS, rows - from)));
      }
      there = await look();
    }
    return {
      schema: SCHEMA,
      name,
      content: { rows: Number(there?.rows), idSum: Number(there?.ids), valueSum: Number(there?.values) },
      textBytes: Number(there?.bytes),
      made,
    };
  });
}

const fill = (table: string, from: number, rows: number) => `
  INSERT INTO ${table} (id, sensor_id, measured_at, value_mw, [load], unit)
  SELECT n, CONCAT('sensor-', n % 1000 + 1), DATEADD(second, n, CAST('2016-01-01T00:00:00+00:00' AS datetimeoffset(0))),
         CAST(n * 7919 % 10000000 AS decimal(20, 4)) / 10000, CAST(n * 31 % 500000 AS float) / 977, 'MW'
  FROM (SELECT TOP (${rows}) ${from} + ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS n
        FROM sys.all_columns AS a CROSS JOIN sys.all_columns AS b) AS numbers`;

export async function dropSqlServerTelemetry(url: string, { schema, name }: TelemetryTable): Promise<void> {
  const table = `${schema}.${name}`;
  await withPool(url, new AbortController().signal, (pool) => pool.request().batch(`DROP TABLE IF EXISTS ${table}`));
}
