import { once } from 'node:events';
import sql from 'mssql';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { orAborted } from '../../runtime/waiting/abortion.ts';
import { orLate } from '../../runtime/waiting/time-limit.ts';
import type { ServerAddress } from './address.ts';
import { guardReplies } from './driver-guard.ts';
import { sqlServerFailure, type LoginMessage } from './failure.ts';
import { loginWorkedMsAgo, rememberLogin } from './login-memory.ts';
import { guardedSocket, refusal } from './plain-text-guard.ts';
import { CANCEL_LIMIT_MS, Statement, type StatementOptions } from './statement.ts';
import type { Row } from './wire-row.ts';

export interface SessionOptions {
  readonly address: ServerAddress;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
}

/** Asked of the server, which may give less. More than this it gives only without encryption. */
const PACKET_BYTES = 16_000;
/** Messages of a login that are looked at. */
const MOST_LOGIN_MESSAGES = 10;
/** The driver takes a connection down in milliseconds, or never. */
const CLOSE_LIMIT_MS = 2_000;

type Connection = Parameters<NonNullable<sql.config['beforeConnect']>>[0];

/** What the pool of one connection and its session tell each other. */
interface Line {
  readonly connections: Set<Connection>;
  readonly loginMessages: LoginMessage[];
  encrypted: boolean;
  statement: Statement | undefined;
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
  readonly #line: Line;
  #transaction: sql.Transaction | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: SessionOptions, pool: sql.ConnectionPool, line: Line) {
    this.#options = options;
    this.#pool = pool;
    this.#line = line;
  }

  /**
   * Connects. Bounded by `connectTimeoutMs`.
   *
   * @throws GridError `source-unavailable`, `source-denied`, `source-tls-refused`
   */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    const { address } = options;
    const line: Line = { connections: new Set(), loginMessages: [], encrypted: false, statement: undefined };
    const pool = poolOf(options, line);
    const session = new Session(options, pool, line);
    const connecting = pool.connect();
    try {
      await orAborted(connecting, signal);
      // Where the driver makes the socket itself, this is known only after login.
      if (mustEncrypt(address) && !line.encrypted) throw refusal(address.shown);
      rememberLogin(address);
      return session;
    } catch (error) {
      // When it is connected only now it is closed again.
      const closed = connecting.then(
        () => session.close(),
        () => undefined,
      );
      await session.close();
      if (signal.aborted) throw error;
      await closed;
      const login = { messages: line.loginMessages, workedMsAgo: loginWorkedMsAgo(address) };
      throw sqlServerFailure(error, `Connecting to SQL Server at ${address.shown}`, login);
    }
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Starts the transaction that every statement from now on belongs to. */
  async begin(isolation: 'snapshot' | 'read committed', attempt: string, signal: AbortSignal): Promise<void> {
    const transaction = new sql.Transaction(this.#pool);
    const level = isolation === 'snapshot' ? sql.ISOLATION_LEVEL.SNAPSHOT : sql.ISOLATION_LEVEL.READ_COMMITTED;
    await this.#orClosed(transaction.begin(level), attempt, signal);
    this.#transaction = transaction;
  }

  /** Ends the transaction that `begin` has started. */
  async rollback(attempt: string, signal: AbortSignal): Promise<void> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction !== undefined) await this.#orClosed(transaction.rollback(), attempt, signal);
  }

  /** The rows of a statement that returns few. */
  async query(statement: string, attempt: string, signal: AbortSignal): Promise<Row[]> {
    const rows: Row[] = [];
    await this.run(statement, { attempt, signal, onRow: (row) => void rows.push(row.values()) });
    return rows;
  }

  /**
   * Runs a statement and hands its rows on as they come, with backpressure. Aborting `signal`, or a rejection of `onRow`,
   * cancels it at the server, and the call returns when the server has acknowledged that or the connection is closed.
   *
   * @returns rows that the server says it has sent
   * @throws as {@link Statement.run}
   */
  async run(text: string, options: StatementOptions): Promise<number> {
    options.signal.throwIfAborted();
    if (this.closed) {
      throw new GridError('source-unavailable', `${options.attempt}: the connection is closed. It is tried again.`);
    }
    if (this.#line.statement !== undefined) {
      throw new GridError('defect', `${options.attempt}: another statement runs on this connection.`);
    }
    const request = this.#transaction === undefined ? new sql.Request(this.#pool) : new sql.Request(this.#transaction);
    const statement = new Statement(request, options, () => void this.close());
    this.#line.statement = statement;
    try {
      return await statement.run(text);
    } finally {
      this.#line.statement = undefined;
    }
  }

  /** Closes the connection at once; the server ends its transaction and whatever it still computes. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { logger } = this.#options;
    const ended = [...this.#line.connections].map(async (connection) => {
      const end = once(connection, 'end');
      connection.close();
      await end;
    });
    // The pool waits for what a transaction has borrowed, which has nothing left to give back.
    this.#pool.close().catch((error: unknown) => {
      logger.debug({ error }, 'closing the SQL Server connection');
    });
    const { late } = await orLate(CLOSE_LIMIT_MS, Promise.all(ended));
    if (late) logger.warn('the SQL Server driver does not say that it has closed its connection');
  }

  async #orClosed(work: Promise<unknown>, attempt: string, signal: AbortSignal): Promise<void> {
    try {
      await orAborted(work, signal);
    } catch (error) {
      await this.close();
      if (signal.aborted) throw error;
      throw sqlServerFailure(error, attempt);
    }
  }
}

function mustEncrypt({ config }: ServerAddress): boolean {
  const encrypt = config.options?.encrypt;
  return encrypt !== false && encrypt !== 'strict';
}

/** The driver's pool, of one connection. */
function poolOf({ address, connectTimeoutMs, logger }: SessionOptions, line: Line): sql.ConnectionPool {
  const { server, port, options: own } = address.config;
  // Where the port has to be asked for, or several addresses are tried at once, the driver makes the socket itself.
  const ownSocket = own?.instanceName === undefined && own?.multiSubnetFailover !== true;
  const socket = { host: server, port: port ?? 1433, shown: address.shown, timeoutMs: connectTimeoutMs };
  const connector = () => guardedSocket({ ...socket, mustEncrypt: mustEncrypt(address) });
  const pool = new sql.ConnectionPool({
    ...address.config,
    connectionTimeout: connectTimeoutMs,
    // Statements are bounded by silence, not by duration: see `Statement`.
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
      packetSize: PACKET_BYTES,
      // Wrong databases count as transient for the driver, and would take four attempts.
      maxRetriesOnTransientErrors: 0,
      appName: 'powergrid-lambda history import',
      useUTC: true,
      ...(ownSocket ? { connector } : {}),
    },
    beforeConnect: (connection) => {
      watch(connection, line, logger);
    },
  });
  // Errors of the connection also reach the statement that runs; between statements the next one fails.
  pool.on('error', (error: unknown) => {
    logger.debug({ error }, 'SQL Server connection lost');
  });
  return pool;
}

function watch(connection: Connection, line: Line, logger: Logger): void {
  const { connections, loginMessages } = line;
  connections.add(connection);
  connection.once('end', () => connections.delete(connection));
  guardReplies(
    connection,
    () => line.statement,
    (error) => {
      logger.warn({ error }, 'SQL Server sent a reply that cannot be read; its connection is closed');
      connection.close();
    },
  );
  connection.on('secure', () => {
    line.encrypted = true;
  });
  connection.on('errorMessage', ({ number, state }: { number?: unknown; state?: unknown }) => {
    if (typeof number !== 'number' || loginMessages.length >= MOST_LOGIN_MESSAGES) return;
    loginMessages.push({ number, state: typeof state === 'number' ? state : 0 });
  });
}
