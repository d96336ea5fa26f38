import pg from 'pg';
import { addressOf } from '../session/address.ts';
import { MIGRATIONS } from './migrations.ts';
import { servingFailure } from './failure.ts';

export interface ServingDatabaseOptions {
  /** `postgres://` */
  readonly url: string;
  /** The schema that holds the views. */
  readonly schema: string;
  /** Most connections at once. */
  readonly maxConnections: number;
  /** Longest wait for a connection, and for the answer to a statement, ms. */
  readonly timeoutMs: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
}

/** What a transaction, or the database itself, can be asked; fails with a GridError `serving-database-unavailable` or `-refused`. */
export interface ServingStatements {
  /**
   * @param text parameters are `$1` …
   * @param name for a statement that is asked often: each connection plans it once. One name, one text
   */
  query<Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<readonly Row[]>;
}

/** Any number; it names the lock that two migrations of one database compete for. */
const MIGRATION_LOCK = 7_260_414;

/**
 * The database of the views: a pool of connections, the schema kept up to date, and transactions. Numbers of type `bigint` and
 * `numeric` come as text; times as their epoch milliseconds only where the statement asks for it.
 */
export class ServingDatabase implements ServingStatements {
  readonly #pool: pg.Pool;
  readonly #options: ServingDatabaseOptions;
  readonly #address: string;
  /** The quoted schema, to write before a table's name. */
  readonly schema: string;

  /** Connects to nothing yet. */
  constructor(options: ServingDatabaseOptions) {
    this.#options = options;
    this.#address = `the serving database at ${addressOf(options.url)}`;
    this.schema = pg.escapeIdentifier(options.schema);
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: options.maxConnections,
      connectionTimeoutMillis: options.timeoutMs,
      query_timeout: options.timeoutMs,
      statement_timeout: options.timeoutMs,
      idle_in_transaction_session_timeout: options.timeoutMs,
      keepAlive: true,
      // Answers come from few rows by index: compiling a statement costs a hundred times what it could save.
      options: '-c jit=off',
      application_name: options.applicationName,
    });
    // The pool lets go of an idle connection that breaks; without a listener that would end the process.
    this.#pool.on('error', () => undefined);
  }

  /** Makes the tables that are not there yet; any number of processes may do it at once. */
  async migrate(): Promise<void> {
    await this.inTransaction(`Bringing the schema ${this.#options.schema} up to date`, async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
      await transaction.query(`CREATE SCHEMA IF NOT EXISTS ${this.schema}`);
      await transaction.query(`CREATE TABLE IF NOT EXISTS ${this.schema}.schema_version (version integer PRIMARY KEY)`);
      const [at] = await transaction.query<{ version: number }>(
        `SELECT coalesce(max(version), 0) AS version FROM ${this.schema}.schema_version`,
      );
      for (const [index, step] of MIGRATIONS.entries()) {
        if (index < (at?.version ?? 0)) continue;
        await transaction.query(step(this.schema));
        await transaction.query(`INSERT INTO ${this.schema}.schema_version VALUES ($1)`, [index + 1]);
      }
    });
  }

  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<readonly Row[]> {
    try {
      return (await this.#pool.query<Row>(queryOf(text, values, name))).rows;
    } catch (error) {
      throw servingFailure(error, `Asking ${this.#address}`);
    }
  }

  /**
   * `work` within one transaction, which is undone when it throws.
   *
   * @param attempt what it is for; begins the message of a failure
   */
  async inTransaction<T>(attempt: string, work: (transaction: ServingTransaction) => Promise<T>): Promise<T> {
    const where = `${attempt} in ${this.#address}`;
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw servingFailure(error, where);
    });
    let broken = true;
    // A connection that breaks between two statements says so by an event, which nobody else would hear.
    const ignored = (): void => undefined;
    client.on('error', ignored);
    const transaction: ServingTransaction = {
      client,
      query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = [], name?: string) => {
        try {
          return (await client.query<Row>(queryOf(text, values, name))).rows;
        } catch (error) {
          throw servingFailure(error, where);
        }
      },
    };
    try {
      await transaction.query('BEGIN');
      const result = await work(transaction);
      await transaction.query('COMMIT');
      broken = false;
      return result;
    } catch (error) {
      broken = await client.query('ROLLBACK').then(
        () => false,
        () => true,
      );
      throw error;
    } finally {
      client.off('error', ignored);
      client.release(broken);
    }
  }

  /** Lets go of all connections. Never throws. */
  async close(): Promise<void> {
    await this.#pool.end().catch(() => undefined);
  }
}

export interface ServingTransaction extends ServingStatements {
  /** The connection itself, for COPY. */
  readonly client: pg.PoolClient;
}

function queryOf(text: string, values: readonly unknown[], name: string | undefined): pg.QueryConfig {
  return { text, values: [...values], ...(name === undefined ? {} : { name }) };
}
