import { randomBytes } from 'node:crypto';
import sql from 'mssql';
import { pino } from 'pino';
import { serverAddress } from '../../connectors/sqlserver/address.ts';
import { SqlServerSource } from '../../connectors/sqlserver/source.ts';
import { hiveFields, hiveValue } from '../../grid/history/hive-text.ts';
import type { SnapshotReader, TableId, TablePlan } from '../../grid/history/sql-source.ts';
import { readEnvironment } from '../../runtime/config.ts';

/** HISTORY_MSSQL_URL, or the empty string: then the tests that need a server are skipped. */
export const SQL_SERVER_URL = readEnvironment()['HISTORY_MSSQL_URL'] ?? '';

/** Said in the names of suites, so that a report shows what was not run. */
export const NEEDS_SERVER =
  SQL_SERVER_URL === '' ? ' (SKIPPED: HISTORY_MSSQL_URL names no SQL Server, so nothing of this was tried)' : '';

/** A schema of its own in the server's database, dropped at the end with all that is in it. */
export class TestDatabase {
  readonly schema = `pg_test_${randomBytes(4).toString('hex')}`;
  readonly #pool: sql.ConnectionPool;
  /** Transactions that have not ended. */
  readonly #transactions = new Set<sql.Transaction>();

  private constructor(pool: sql.ConnectionPool) {
    this.#pool = pool;
  }

  static async open(): Promise<TestDatabase> {
    const { config } = serverAddress(SQL_SERVER_URL);
    const pool = await new sql.ConnectionPool({ ...config, requestTimeout: 120_000, pool: { max: 3 } }).connect();
    const database = new TestDatabase(pool);
    await database.run(`CREATE SCHEMA [${database.schema}]`);
    return database;
  }

  /** Runs a batch; `{schema}` stands for the schema's name. */
  async run(batch: string): Promise<readonly (readonly unknown[])[]> {
    const request = new sql.Request(this.#pool);
    request.arrayRowMode = true;
    const result: { recordset?: unknown } = await request.batch(batch.replaceAll('{schema}', `[${this.schema}]`));
    return Array.isArray(result.recordset) ? (result.recordset as readonly (readonly unknown[])[]) : [];
  }

  /** A transaction that stays open until it is committed, or all are rolled back. */
  async transaction(): Promise<{ run(batch: string): Promise<void>; commit(): Promise<void> }> {
    const transaction = new sql.Transaction(this.#pool);
    await transaction.begin(sql.ISOLATION_LEVEL.READ_COMMITTED);
    this.#transactions.add(transaction);
    return {
      run: async (batch) => {
        await new sql.Request(transaction).batch(batch.replaceAll('{schema}', `[${this.schema}]`));
      },
      commit: async () => {
        this.#transactions.delete(transaction);
        await transaction.commit();
      },
    };
  }

  /** Ends all transactions that are still open, and so lets go of their locks. */
  async rollBack(): Promise<void> {
    const open = [...this.#transactions];
    this.#transactions.clear();
    for (const transaction of open) await transaction.rollback();
  }

  table(name: string): TableId {
    return { schema: this.schema, name };
  }

  async close(): Promise<void> {
    await this.rollBack();
    const tables = await this.run(
      `SELECT t.name FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE s.name = N'${this.schema}'`,
    );
    for (const [name] of tables) await this.run(`DROP TABLE {schema}.[${String(name).replaceAll(']', ']]')}]`);
    await this.run(`DROP SCHEMA [${this.schema}]`);
    await this.#pool.close();
  }
}

/** Numbers 0 to 99,999 as column `n` of a table expression `numbers`. */
export const NUMBERS = `WITH digits AS (SELECT d FROM (VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)) AS v(d)),
numbers AS (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
FROM digits AS a CROSS JOIN digits AS b CROSS JOIN digits AS c CROSS JOIN digits AS e CROSS JOIN digits AS f)`;

export function sourceOf(url = SQL_SERVER_URL): SqlServerSource {
  return new SqlServerSource({ url, connectTimeoutMs: 10_000, logger: pino({ level: 'silent' }) });
}

/** The values of a split's rows, as Hive would read them, with what was said of it. */
export async function rowsOf(
  reader: SnapshotReader,
  plan: TablePlan,
  split: number,
): Promise<{ rows: (string | null)[][]; digest: string }> {
  const chunks: Buffer[] = [];
  const copied = await reader.copy(plan, split, (chunk) => Promise.resolve(void chunks.push(chunk)), {
    verify: true,
    signal: new AbortController().signal,
  });
  const text = Buffer.concat(chunks).toString('utf8');
  const lines = text === '' ? [] : text.slice(0, -1).split('\n');
  if (lines.length !== copied.rows) throw new Error(`${lines.length} lines for ${copied.rows} rows`);
  return { rows: lines.map((line) => hiveFields(line).map(hiveValue)), digest: copied.digest };
}
