import sql from 'mssql';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ServerAddress } from './address.ts';
import { guardReplies } from './driver-guard.ts';
import { sqlServerFailure } from './failure.ts';
import { guardedSocket, refusal } from './plain-text-guard.ts';

/** A value as statements of this connector return it: text or bytes, never a number or a date. */
export type Value = string | Buffer | null;
export type Row = readonly Value[];

export interface SessionOptions {
  readonly address: ServerAddress;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
}

/** How long a statement may go without any sign from the server: huge sorts and scans say nothing until they are done. */
const SILENCE_LIMIT_MS = 15 * 60_000;
const WATCH_MS = 10_000;
/** How long a cancelled statement may take to be acknowledged before the connection is thrown away. */
const CANCEL_LIMIT_MS = 3_000;

type Connection = Parameters<NonNullable<sql.config['beforeConnect']>>[0];

export interface RunOptions {
  /** What is being done, on what; it begins the message of a failure. */
  readonly attempt: string;
  readonly signal: AbortSignal;
  /** Takes a row. When it returns a promise, no further row comes until that has resolved. */
  readonly onRow: (row: Row) => void | Promise<void>;
}

/**
 * One connection, and where `begin` was called the transaction on it. One statement at a time.
 *
 * Modes: `open` → `closed`, by `close()`, or when a statement cannot be cancelled in time. The server ends the transaction of
 * a closed connection.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #pool: sql.ConnectionPool;
  readonly #connections: Set<Connection>;
  #transaction: sql.Transaction | undefined;
  #mode: 'open' | 'closed' = 'open';

  private constructor(options: SessionOptions, pool: sql.ConnectionPool, connections: Set<Connection>) {
    this.#options = options;
    this.#pool = pool;
    this.#connections = connections;
  }

  /**
   * Connects. Bounded by `connectTimeoutMs`.
   *
   * @throws GridError `source-unavailable`, `source-denied`, `source-tls-refused`
   */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const { address, connectTimeoutMs, logger } = options;
    const attempt = `Connecting to SQL Server at ${address.shown}`;
    const connections = new Set<Connection>();
    const seen = { encryption: false };
    const loginErrors: number[] = [];
    const { server, port } = address.config;
    const own = address.config.options;
    const mustEncrypt = own?.encrypt !== false && own?.encrypt !== 'strict';
    // Where the port has to be asked for, or several addresses are tried at once, the driver makes the socket itself.
    const ownSocket = own?.instanceName === undefined && own?.multiSubnetFailover !== true;
    const connector = () =>
      guardedSocket({
        host: server,
        port: port ?? 1433,
        shown: address.shown,
        timeoutMs: connectTimeoutMs,
        mustEncrypt,
      });
    const pool = new sql.ConnectionPool({
      ...address.config,
      connectionTimeout: connectTimeoutMs,
      // Statements are bounded by silence, not by duration: see `run`.
      requestTimeout: 0,
      validateConnection: false,
      pool: {
        max: 1,
        min: 0,
        acquireTimeoutMillis: connectTimeoutMs + 5_000,
        createTimeoutMillis: connectTimeoutMs + 4_000,
      },
      options: {
        ...own,
        cancelTimeout: CANCEL_LIMIT_MS,
        // Wrong databases count as transient for the driver, and would take four attempts.
        maxRetriesOnTransientErrors: 0,
        appName: 'powergrid-lambda history import',
        useUTC: true,
        ...(ownSocket ? { connector } : {}),
      },
      beforeConnect: (connection) => {
        connections.add(connection);
        connection.once('end', () => connections.delete(connection));
        guardReplies(connection, (error) => {
          logger.warn({ error }, 'SQL Server sent a reply that cannot be read; its connection is closed');
          connection.close();
        });
        connection.on('secure', () => {
          seen.encryption = true;
        });
        connection.on('errorMessage', (message: { number?: unknown }) => {
          if (typeof message.number === 'number' && loginErrors.length < 10) loginErrors.push(message.number);
        });
      },
    });
    // Errors of the connection also reach the statement that runs; between statements the next one fails.
    pool.on('error', (error: unknown) => {
      logger.debug({ error }, 'SQL Server connection lost');
    });
    const session = new Session(options, pool, connections);
    const connecting = pool.connect();
    try {
      await orAborted(connecting, signal);
      // Where the driver makes the socket itself, this is known only after login.
      if (mustEncrypt && !seen.encryption) throw refusal(address.shown);
      return session;
    } catch (error) {
      connecting.then(
        () => {
          session.close();
        },
        () => undefined,
      );
      session.close();
      if (signal.aborted) throw error;
      throw sqlServerFailure(error, attempt, loginErrors);
    }
  }

  get closed(): boolean {
    return this.#mode === 'closed';
  }

  /** Starts the transaction that every statement from now on belongs to. */
  async begin(isolation: 'snapshot' | 'read committed', attempt: string, signal: AbortSignal): Promise<void> {
    const transaction = new sql.Transaction(this.#pool);
    const level = isolation === 'snapshot' ? sql.ISOLATION_LEVEL.SNAPSHOT : sql.ISOLATION_LEVEL.READ_COMMITTED;
    try {
      await orAborted(transaction.begin(level), signal);
    } catch (error) {
      this.close();
      if (signal.aborted) throw error;
      throw sqlServerFailure(error, attempt);
    }
    this.#transaction = transaction;
  }

  /** Ends the transaction that `begin` has started. */
  async rollback(attempt: string, signal: AbortSignal): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction === undefined) return;
    try {
      await orAborted(transaction.rollback(), signal);
    } catch (error) {
      this.close();
      if (signal.aborted) throw error;
      throw sqlServerFailure(error, attempt);
    }
  }

  /** The rows of a statement that returns few. */
  async query(statement: string, attempt: string, signal: AbortSignal): Promise<Row[]> {
    const rows: Row[] = [];
    await this.run(statement, { attempt, signal, onRow: (row) => void rows.push(row) });
    return rows;
  }

  /**
   * Runs a statement and hands its rows on as they come, with backpressure. Aborting `signal`, or a rejection of `onRow`,
   * cancels it at the server, and the call returns when the server has acknowledged that or the connection is closed.
   *
   * @returns rows that the server says it has sent
   * @throws GridError by {@link sqlServerFailure}; the reason of `signal`; whatever `onRow` rejects with
   */
  run(statement: string, { attempt, signal, onRow }: RunOptions): Promise<number> {
    signal.throwIfAborted();
    if (this.#mode === 'closed') {
      const error = new GridError('source-unavailable', `${attempt}: the connection is closed. It is tried again.`);
      return Promise.reject(error);
    }
    const request = this.#transaction === undefined ? new sql.Request(this.#pool) : new sql.Request(this.#transaction);
    request.stream = true;
    request.arrayRowMode = true;
    return new Promise<number>((resolve, reject) => {
      let sentRows = 0;
      let stopped: { readonly reason: unknown } | undefined;
      let driverError: unknown;
      let settled = false;
      let handing: Promise<void> | undefined;
      // Counted rather than timed: a clock reading for each row costs as much as handing it on.
      let signs = 0;
      let signsSeen = 0;
      let silentMs = 0;
      let giveUp: NodeJS.Timeout | undefined;

      const settle = (): void => {
        if (settled) return;
        settled = true;
        clearInterval(watch);
        clearTimeout(giveUp);
        signal.removeEventListener('abort', onAbort);
        const finish = (): void => {
          if (stopped !== undefined) reject(asError(stopped.reason));
          else if (driverError !== undefined) reject(sqlServerFailure(driverError, attempt));
          else resolve(sentRows);
        };
        // A row that is still being handed on may yet reject.
        if (handing === undefined) finish();
        else void handing.then(finish, finish);
      };
      const stop = (reason: unknown): void => {
        if (settled || stopped !== undefined) return;
        stopped = { reason };
        request.cancel();
        giveUp = setTimeout(() => {
          this.close();
          settle();
        }, CANCEL_LIMIT_MS + 500);
      };
      const onAbort = (): void => {
        stop(signal.reason);
      };
      const watch = setInterval(() => {
        // A row that is being handed on is no silence of the server.
        silentMs = signs === signsSeen && handing === undefined ? silentMs + WATCH_MS : 0;
        signsSeen = signs;
        if (silentMs < SILENCE_LIMIT_MS) return;
        const seconds = Math.round(SILENCE_LIMIT_MS / 1_000);
        stop(
          new GridError('source-unavailable', `${attempt}: no sign of the server for ${seconds} s. It is tried again.`),
        );
      }, WATCH_MS);

      request.on('row', (row: unknown) => {
        signs++;
        if (stopped !== undefined || settled) return;
        try {
          if (!isRow(row))
            throw new GridError('defect', `${attempt}: a row came with values that are neither text nor bytes.`);
          const handed = onRow(row);
          if (handed === undefined) return;
          // Rows that were parsed already may still come: they wait for those before them.
          const before = handing;
          request.pause();
          const now = before === undefined ? handed : Promise.all([before, handed]).then(() => undefined);
          handing = now;
          now.then(
            () => {
              if (handing !== now) return;
              handing = undefined;
              request.resume();
            },
            (error: unknown) => {
              if (handing === now) handing = undefined;
              stop(error);
            },
          );
        } catch (error) {
          stop(error);
        }
      });
      request.on('rowsaffected', (count: number) => (sentRows += count));
      request.on('error', (error: unknown) => (driverError ??= error));
      request.on('done', settle);
      signal.addEventListener('abort', onAbort, { once: true });
      // In stream mode everything comes as events; the promise says nothing that they have not said.
      request.batch(statement).then(undefined, (error: unknown) => {
        driverError ??= error;
        settle();
      });
    });
  }

  /** Closes the connection at once; the server ends its transaction and whatever it still computes. */
  close(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    for (const connection of this.#connections) connection.close();
    this.#pool.close().catch((error: unknown) => {
      this.#options.logger.debug({ error }, 'closing the SQL Server connection');
    });
  }
}

/** `promise`, or the reason of `signal` as soon as that is aborted. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(asError(signal.reason));
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isRow(row: unknown): row is Row {
  return (
    Array.isArray(row) && row.every((value) => value === null || typeof value === 'string' || Buffer.isBuffer(value))
  );
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
