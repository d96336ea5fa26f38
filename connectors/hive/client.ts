import { GridError, type ErrorCode } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { parseHiveUrl } from './address.ts';
import type { HiveConnection, HiveOperation } from './connection.ts';
import { dialectOf, type SqlDialect } from './dialect.ts';
import { columnsOf, rowsOf, type HiveColumn } from './rows.ts';
import { SessionPool } from './session-pool.ts';

export interface HiveOptions {
  /** `hive2://[user[:password]@]host[:port][/database][?auth=…&ssl=true&<hive setting>=<value>]`, see {@link parseHiveUrl}. */
  readonly url: string;
  /** Who the sessions are for where the URL names nobody. */
  readonly user: string;
  /** Longest time that a statement may run, and that a page of rows may take. */
  readonly callTimeoutMs: number;
  /** Longest time for a connection to be made. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Statements that run at once, each in a session of its own; further ones wait. Default 4. */
  readonly maxSessions?: number;
  /** A session that nobody uses is closed after this time. Default 60 000. */
  readonly idleMs?: number;
  readonly logger: Logger;
}

export interface HiveCallOptions {
  /** Longest time that the statement may run; default: that of the client. */
  readonly limitMs?: number;
  /** Ends the wait at once, with the signal's reason; the statement is cancelled at the server. */
  readonly signal?: AbortSignal;
}

/**
 * Rows a page: HiveServer2 and the driver are fastest with a thousand or two, and twenty times slower with fifty thousand.
 */
const PAGE_ROWS = 1_000;
/** Of rows whose length is not known yet. */
const FIRST_PAGE_ROWS = 50;
/** About so much text is in a page, where a row is not longer. */
const PAGE_BYTES = 4 << 20;

/** Errors after which a session is as good as before. */
const ANSWERS: ReadonlySet<string> = new Set<ErrorCode>(['hive-refused', 'hive-not-found', 'hive-conflict']);

/**
 * HiveServer2. Connecting is done with the first statement; a connection that was lost is made anew with the next one. A
 * statement whose connection broke may or may not have been run: callers send what may be repeated.
 *
 * All methods reject with GridError `hive-unavailable`, `hive-timeout`, or with Hive's own sentence `hive-refused`, `hive-not-found` or `hive-conflict`; with
 * `shutting-down` after `close()`, or with the reason of the signal.
 */
export class HiveClient {
  readonly #callTimeoutMs: number;
  readonly #logger: Logger;
  readonly #pool: SessionPool;
  #dialect: SqlDialect | undefined;

  /** Connects to nothing yet. @throws GridError `invalid-configuration` */
  constructor(options: HiveOptions) {
    this.#callTimeoutMs = options.callTimeoutMs;
    this.#logger = options.logger.child({ component: 'hive' });
    this.#pool = new SessionPool({
      address: parseHiveUrl(options.url, options.user),
      user: options.user,
      callTimeoutMs: options.callTimeoutMs,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      maxSessions: options.maxSessions ?? 4,
      idleMs: options.idleMs ?? 60_000,
    });
  }

  /** What the server's SQL is like; asked once. */
  async dialect({ signal }: HiveCallOptions = {}): Promise<SqlDialect> {
    if (this.#dialect !== undefined) return this.#dialect;
    const connection = await this.#pool.take(signal);
    try {
      const dialect = dialectOf(await connection.serverName({ limitMs: this.#callTimeoutMs, signal }));
      this.#pool.giveBack(connection);
      this.#dialect = dialect;
      return dialect;
    } catch (error) {
      this.#pool.abandon(connection, undefined);
      throw error;
    }
  }

  /** Runs a statement to its end, and drops its rows if it has any. */
  async execute(sql: string, options: HiveCallOptions = {}): Promise<void> {
    const running = await this.#run(sql, options);
    await this.#end(running);
  }

  /**
   * Runs a query and gives its rows as they come, a page at a time, each a list of the fields' text ({@link rowsOf}): BIGINT and
   * DECIMAL exact, FLOAT and DOUBLE as JavaScript writes them (cast them to STRING for Hive's form), NULL as null. Leaving
   * the iteration early ends the query. It holds a session meanwhile.
   */
  async *query(sql: string, options: HiveCallOptions = {}): AsyncGenerator<(string | null)[], void, undefined> {
    for await (const { rows } of this.pages(sql, options)) yield* rows;
  }

  /**
   * The same, a page at a time, with the columns; the first page comes even where there are no rows. A page holds about {@link PAGE_BYTES},
   * by the longest row so far, and the next one is asked for while the caller works on it.
   */
  async *pages(sql: string, options: HiveCallOptions = {}): AsyncGenerator<HivePage, void, undefined> {
    const { connection, operation } = await this.#run(sql, options);
    const fetch = async (rows: number): Promise<HivePage> => {
      operation.setMaxRows(rows);
      await connection.call('Fetching rows', { limitMs: this.#callTimeoutMs, signal: options.signal }, () =>
        operation.fetch(),
      );
      const page = { columns: columnsOf(operation.getSchema()), rows: operation.getData().flatMap(rowsOf) };
      // The driver keeps every page otherwise.
      operation.flush();
      return page;
    };
    let broken = false;
    let next: Promise<HivePage> | undefined;
    let longest = 1;
    try {
      let page = await fetch(FIRST_PAGE_ROWS);
      for (let isFirst = true; isFirst || page.rows.length > 0; isFirst = false) {
        longest = Math.max(longest, longestRow(page.rows));
        next =
          page.rows.length === 0
            ? undefined
            : fetch(Math.max(1, Math.min(PAGE_ROWS, Math.floor(PAGE_BYTES / longest))));
        // Awaited below, or left when the caller leaves.
        next?.catch(() => undefined);
        yield page;
        if (next === undefined) break;
        page = await next;
        next = undefined;
      }
    } catch (error) {
      broken = true;
      throw error;
    } finally {
      if (broken) this.#pool.abandon(connection, operation);
      else await this.#end({ connection, operation });
    }
  }

  /** Resolves when every statement that was given up has been cancelled at the server, or its connection is cut. */
  async settled(): Promise<void> {
    await this.#pool.settled();
  }

  /** All rows of a query whose result is known to be small. */
  async rows(sql: string, options: HiveCallOptions = {}): Promise<(string | null)[][]> {
    const rows: (string | null)[][] = [];
    for await (const page of this.pages(sql, options)) for (const row of page.rows) rows.push(row);
    return rows;
  }

  /** Ends what runs, and closes sessions and connections; never rejects. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Runs a statement in a session of its own, to the point where its rows can be fetched. */
  async #run(sql: string, { signal, limitMs = this.#callTimeoutMs }: HiveCallOptions): Promise<Running> {
    const began = performance.now();
    const connection = await this.#pool.take(signal);
    let operation: HiveOperation | undefined;
    try {
      operation = await connection.start(sql, { limitMs, signal });
      await connection.finish(sql, operation, { limitMs, signal });
      this.#logger.debug({ sql, durationMs: Math.round(performance.now() - began) }, 'a Hive statement was run');
      return { connection, operation };
    } catch (error) {
      if (error instanceof GridError && ANSWERS.has(error.code)) await this.#end({ connection, operation });
      else this.#pool.abandon(connection, operation);
      throw error;
    }
  }

  /** Gives the session back. The result does not hang on it: at worst the session is thrown away. */
  async #end({
    connection,
    operation,
  }: Pick<Running, 'connection'> & {
    readonly operation: HiveOperation | undefined;
  }): Promise<void> {
    if (operation !== undefined && connection.isOpen) await connection.dismiss(operation);
    this.#pool.giveBack(connection);
  }
}

/** Some rows of an answer, each a list of its fields' text; NULL is null. */
export interface HivePage {
  readonly columns: readonly HiveColumn[];
  readonly rows: readonly (string | null)[][];
}

/** Characters of the longest row. */
function longestRow(rows: HivePage['rows']): number {
  let longest = 0;
  for (const row of rows) {
    let length = 0;
    for (const field of row) length += field?.length ?? 0;
    if (length > longest) longest = length;
  }
  return longest;
}

/** A statement that has been run, and the connection that is kept for it. */
interface Running {
  readonly connection: HiveConnection;
  readonly operation: HiveOperation;
}
