import { Socket } from 'node:net';
import { auth, connections, HiveClient as DriverClient, thrift } from 'hive-driver';
import type { HiveAddress } from './address.ts';
import { hiveFailure, hiveTimeout } from './failure.ts';

/** What the driver declares as `any`. */
const SERVICE = thrift.TCLIService as object;
const TYPES = thrift.TCLIService_types as ConstructorParameters<typeof DriverClient>[1];
const { TProtocolVersion, TOperationState, TGetInfoType } = thrift.TCLIService_types as {
  readonly TGetInfoType: { readonly CLI_DBMS_NAME: number };
  readonly TProtocolVersion: { readonly HIVE_CLI_SERVICE_PROTOCOL_V10: number };
  readonly TOperationState: Readonly<
    Record<'INITIALIZED_STATE' | 'PENDING_STATE' | 'RUNNING_STATE' | 'FINISHED_STATE', number>
  >;
};

type DriverSession = Awaited<ReturnType<DriverClient['openSession']>>;
export type HiveOperation = Awaited<ReturnType<DriverSession['executeStatement']>>;

/** How long one call may take, and what ends it early. */
export interface CallLimits {
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A server that is alive answers a question for the state of an operation within half a second to five (its long poll). */
const POLL_LIMIT_MS = 60_000;
/** What is said in parting is waited for no longer. */
const FAREWELL_LIMIT_MS = 5_000;

/**
 * One connection to HiveServer2 with one session, for one statement at a time.
 *
 * Modes: `open` → `lost` (the connection broke, a call was not answered in time, or it was cut) or `closed`. Once it is not
 * open it takes no more calls: whoever holds it throws it away.
 *
 * The driver's promises never settle when the connection dies, so each is raced against its loss, a time limit and a signal.
 */
export class HiveConnection {
  readonly #client: DriverClient;
  readonly #address: HiveAddress;
  readonly #waiting = new Set<(error: unknown) => void>();
  #socket: Socket | undefined;
  #session: DriverSession | undefined;
  #loss: unknown;
  #mode: 'open' | 'lost' | 'closed' = 'open';

  private constructor(address: HiveAddress) {
    this.#address = address;
    this.#client = new DriverClient(SERVICE, TYPES);
    this.#client.on('error', (error: unknown) => {
      this.#lose(error);
    });
    this.#client.on('close', () => {
      this.#lose(new Error('the connection was closed'));
    });
  }

  /**
   * @param user who the session is for where the server asks for no password
   * @throws GridError `hive-unavailable`, `hive-timeout`, `hive-refused` (user or password), or the signal's reason
   */
  static async open(
    address: HiveAddress,
    user: string,
    { connectTimeoutMs, limitMs, signal }: CallLimits & { readonly connectTimeoutMs: number },
  ): Promise<HiveConnection> {
    const connection = new HiveConnection(address);
    try {
      await connection.call('Connecting', { limitMs: connectTimeoutMs, signal }, () => connection.#connect());
      await connection.call('Opening a session', { limitMs, signal }, () => connection.#openSession(user));
      return connection;
    } catch (error) {
      connection.cut();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#mode === 'open';
  }

  /** What the server calls itself: `Apache Hive`, `Spark SQL`. */
  async serverName(limits: CallLimits): Promise<string> {
    const session = this.#session;
    const info = await this.call('Asking for its name', limits, () =>
      session === undefined ? Promise.reject(new Error('no session')) : session.getInfo(TGetInfoType.CLI_DBMS_NAME),
    );
    return String(info.getValue());
  }

  /** Sends a statement, and waits until it has been compiled and has begun. */
  async start(sql: string, limits: CallLimits): Promise<HiveOperation> {
    const session = this.#session;
    // With runAsync false fetching gives no rows.
    return this.call(describe(sql), limits, () =>
      session === undefined
        ? Promise.reject(new Error('no session'))
        : session.executeStatement(sql, { runAsync: true }),
    );
  }

  /** Waits until an operation has finished. The server holds each question back until it has news, or half a second and more. */
  async finish(sql: string, operation: HiveOperation, { limitMs, signal }: CallLimits): Promise<void> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const remainingMs = deadline - performance.now();
      if (remainingMs <= 0) throw hiveTimeout(this.#attempt(describe(sql)), limitMs);
      const reply = await this.call(
        describe(sql),
        { limitMs: Math.min(POLL_LIMIT_MS, remainingMs + 1_000), signal },
        () => operation.status(false),
      );
      switch (reply.operationState) {
        case TOperationState.FINISHED_STATE:
          return;
        case undefined:
        case TOperationState.INITIALIZED_STATE:
        case TOperationState.PENDING_STATE:
        case TOperationState.RUNNING_STATE:
          break;
        default:
          // Cancelled, closed, failed or timed out: the reply says why.
          throw hiveFailure(
            { response: reply, message: 'the statement was ended at the server' },
            this.#attempt(describe(sql)),
          );
      }
    }
  }

  /** One call of the driver. @throws GridError, or the signal's reason; what was not answered cuts the connection. */
  async call<T>(what: string, { limitMs, signal }: CallLimits, send: () => Promise<T>): Promise<T> {
    const attempt = this.#attempt(what);
    signal?.throwIfAborted();
    if (this.#mode !== 'open') throw hiveFailure(this.#loss ?? new Error('the connection was closed'), attempt);
    let end = (): void => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(hiveTimeout(attempt, limitMs));
          this.cut();
        }, limitMs);
        const abort = (): void => {
          reject(signal?.reason as Error);
        };
        end = () => {
          clearTimeout(timer);
          this.#waiting.delete(reject);
          signal?.removeEventListener('abort', abort);
        };
        this.#waiting.add(reject);
        signal?.addEventListener('abort', abort);
        send().then(resolve, reject);
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw hiveFailure(error, attempt);
    } finally {
      end();
    }
  }

  /** Closes an operation that has ended; never rejects. */
  async dismiss(operation: HiveOperation): Promise<void> {
    await this.call('Closing the operation', { limitMs: FAREWELL_LIMIT_MS }, () => operation.close()).catch(
      () => undefined,
    );
  }

  /** Ends a statement that nobody waits for any more, and the connection with it: nothing else is to wait behind it. */
  async abandon(operation: HiveOperation | undefined): Promise<void> {
    if (operation !== undefined) {
      await this.call('Cancelling', { limitMs: FAREWELL_LIMIT_MS }, () => operation.cancel()).catch(() => undefined);
    }
    // A server that loses the connection ends the session, and what runs in it.
    await this.close();
  }

  /** Closes the session and the connection; never rejects. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (this.#mode === 'open' && session !== undefined) {
      await this.call('Closing the session', { limitMs: FAREWELL_LIMIT_MS }, () => session.close()).catch(
        () => undefined,
      );
    }
    if (this.#mode === 'open') this.#mode = 'closed';
    this.#socket?.destroy();
  }

  /** Cuts the connection at once; what waits is rejected with `reason`. */
  cut(reason: Error = new Error('the connection was cut')): void {
    this.#lose(reason);
    this.#socket?.destroy();
  }

  async #connect(): Promise<void> {
    const { host, port, tls, authentication } = this.#address;
    const inner =
      authentication.kind === 'nosasl'
        ? new auth.NoSaslAuthentication()
        : new auth.PlainTcpAuthentication({ username: authentication.user, password: authentication.password });
    await this.#client.connect(
      {
        host,
        port,
        // The driver would trust any certificate.
        options: tls ? { ssl: true, rejectUnauthorized: true, servername: host } : {},
      },
      new connections.TcpConnection(),
      {
        // The driver takes a socket for connected once it is made, and keeps it to itself.
        authenticate: async (transport) => {
          const authenticated = inner.authenticate(transport);
          const socket: unknown = transport.getTransport();
          if (!(socket instanceof Socket)) throw new Error('the driver made no socket');
          this.#socket = socket;
          socket.setKeepAlive(true, 30_000);
          socket.on('error', (error) => {
            this.#lose(error);
          });
          socket.on('close', () => {
            this.#lose(new Error('the connection was closed'));
          });
          if (this.#mode !== 'open') socket.destroy();
          if (socket.connecting) {
            await new Promise<void>((resolve) => socket.once(tls ? 'secureConnect' : 'connect', resolve));
          }
          return authenticated;
        },
      },
    );
  }

  async #openSession(user: string): Promise<void> {
    const { settings, database, authentication } = this.#address;
    const configuration: Record<string, string> = { 'use:database': database };
    for (const [name, value] of Object.entries(settings)) configuration[`set:hiveconf:${name}`] = value;
    const request = {
      client_protocol: TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V10,
      ...(authentication.kind === 'nosasl' ? { username: user } : {}),
      configuration,
    };
    this.#session = await this.#client.openSession(request);
  }

  #lose(error: unknown): void {
    if (this.#mode !== 'open') return;
    this.#mode = 'lost';
    this.#loss = error;
    for (const reject of this.#waiting) reject(error);
  }

  #attempt(what: string): string {
    return `${what} (Hive at ${this.#address.text})`;
  }
}

/** A statement as it stands in messages: one line, its beginning. */
function describe(sql: string): string {
  const line = sql.replace(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
