import { setMaxListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import webhdfs, { type Driver } from 'webhdfs';
import { GridError } from '../../../grid/errors.ts';
import { orAborted } from '../../../runtime/waiting/abortion.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import {
  errorOfClosing,
  errorOfConnection,
  errorOfReply,
  errorOfSilence,
  wasNeverSent,
  wasNotTried,
  type Attempt,
} from '../failure.ts';
import { encodeHdfsPath } from '../path.ts';
import { isPassing, withRetries, type RetryPolicy } from './retry.ts';

export interface NameNodesOptions {
  readonly urls: readonly string[];
  readonly user: string;
  readonly callTimeoutMs: number;
  readonly retry: Omit<RetryPolicy, 'closing'>;
}

/** One WebHDFS operation. */
export interface Operation {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** As in WebHDFS's documentation: `RENAME`, `GETFILESTATUS`. */
  readonly name: string;
  /** Plain, not encoded. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * `any-time`: doing it twice does no harm. `if-not-received`: it is tried again only when no server can have received it,
   * or the server says that it did not try.
   */
  readonly repeatable: 'any-time' | 'if-not-received';
}

/** A reply that a server sent whole; `body` is parsed JSON, or text when it is none. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** Where a redirect points to. */
  readonly location: string | undefined;
  readonly attempt: Attempt;
}

/** What came of one request to one server. */
type Outcome =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'failed'; readonly error: GridError; readonly received: 'no' | 'perhaps' };

interface NameNode {
  readonly url: string;
  readonly host: string;
  readonly driver: Driver;
}

/**
 * The NameNodes of a cluster as one: sends an operation to the one that was active last, goes over to the next when it is the
 * standby or cannot be reached, and repeats what may be repeated.
 *
 * The requests are made by the driver's inner functions: its public ones drop the reply and the class of an error. Each is
 * bounded here by a timer and aborted, since the driver waits for ever on a NameNode that says nothing.
 */
export class NameNodes {
  readonly #options: NameNodesOptions;
  readonly #nameNodes: readonly NameNode[];
  readonly #agents: readonly http.Agent[];
  readonly #closing = new AbortController();
  readonly #retryPolicy: RetryPolicy;
  #active = 0;

  constructor(options: NameNodesOptions) {
    this.#options = options;
    // Every call and stream under way listens; there is no telling how many.
    setMaxListeners(0, this.#closing.signal);
    this.#retryPolicy = { ...options.retry, closing: this.#closing.signal };
    // A NameNode's calls are short and many, so connections are kept; two seconds of idleness are well under any server's
    // own limit, so that one is seldom picked up just as the server closes it.
    const pool = { keepAlive: true, maxSockets: 32, maxFreeSockets: 8, timeout: options.callTimeoutMs };
    const plain = new http.Agent({ ...pool, keepAliveMsecs: 2_000 });
    const secure = new https.Agent({ ...pool, keepAliveMsecs: 2_000 });
    this.#agents = [plain, secure];
    this.#nameNodes = options.urls.map((text) => {
      const url = new URL(text);
      const isSecure = url.protocol === 'https:';
      const driver = webhdfs.createClient(
        {
          protocol: isSecure ? 'https' : 'http',
          host: url.hostname.replace(/^\[|\]$/g, ''),
          port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
          path: url.pathname === '/' ? '/webhdfs/v1' : url.pathname.replace(/\/+$/, ''),
          user: options.user,
        },
        // Null, since the driver would send everything to the proxy that `http_proxy` names, which uploads and reads do not use either.
        { agent: isSecure ? secure : plain, followRedirect: false, proxy: null },
      );
      return { url: text, host: url.host, driver };
    });
    if (this.#nameNodes.length === 0) {
      throw new GridError('invalid-configuration', 'Connecting to HDFS: no NameNode is named. Set WEBHDFS_URL.');
    }
  }

  /** URL of the NameNode that answered last as the active one. */
  get activeUrl(): string {
    return this.#current().url;
  }

  /** Aborted when the client is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Cuts what is under way and the kept connections. */
  close(): void {
    this.#closing.abort();
    for (const agent of this.#agents) agent.destroy();
  }

  /**
   * Carries out an operation and gives what `take` makes of the reply (status 200 or, for one that goes on at a DataNode, 307);
   * repeated as the operation allows. Whatever `take` throws is repeated from the NameNode on, if the operation may be repeated
   * at any time.
   *
   * @throws GridError as {@link errorOfReply} and {@link errorOfConnection} map it.
   */
  call<T>(operation: Operation, take: (reply: Reply) => T | Promise<T>): Promise<T> {
    let received: 'no' | 'perhaps' = 'no';
    return withRetries(
      this.#retryPolicy,
      { operation: operation.name, path: operation.path },
      async () => {
        const outcome = await this.#tryEach(operation);
        received = outcome.kind === 'reply' ? 'perhaps' : outcome.received;
        if (outcome.kind === 'failed') throw outcome.error;
        return take(outcome.reply);
      },
      (error) => isPassing(error) && (operation.repeatable === 'any-time' || received === 'no'),
      () => errorOfClosing(this.#attempt(this.#current(), operation)),
    );
  }

  /** Like {@link call}, but every NameNode is asked at most once. */
  async callOnce(operation: Operation): Promise<Reply> {
    const outcome = await this.#tryEach(operation);
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.reply;
  }

  /** One request to a URL that a NameNode gave (a DataNode's), by the same driver and bounds; not repeated. */
  async follow(url: string, operation: Operation): Promise<Reply> {
    return this.#once(url, operation, `DataNode ${hostOf(url)}`);
  }

  /** One GET of the active NameNode outside WebHDFS, such as `/jmx`; not repeated. */
  async page(pathAndQuery: string): Promise<Reply> {
    const { url, host } = this.#current();
    const operation: Operation = { method: 'GET', name: 'GET', path: pathAndQuery, repeatable: 'any-time' };
    return this.#once(new URL(pathAndQuery, url).href, operation, `NameNode ${host}`);
  }

  async #once(url: string, operation: Operation, server: string): Promise<Reply> {
    const attempt = { operation: operation.name, path: operation.path, server };
    const outcome = await this.#exchange(this.#current().driver, operation.method, url, attempt, 'own');
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.reply;
  }

  /** Asks each NameNode once, the active one first, until one takes the operation. */
  async #tryEach(operation: Operation): Promise<Outcome> {
    let last: Outcome | undefined;
    let received: 'no' | 'perhaps' = 'no';
    for (let count = 0; count < this.#nameNodes.length; count++) {
      const index = this.#active;
      const nameNode = this.#current();
      const attempt = this.#attempt(nameNode, operation);
      const url = nameNode.driver._getOperationEndpoint(
        operation.name,
        encodeHdfsPath(operation.path),
        operation.parameters ?? {},
      );
      // What must not be done twice gets a connection of its own: one that was kept may break just as it is used, and then
      // nobody knows whether the request went through.
      const connection = operation.repeatable === 'any-time' ? 'kept' : 'own';
      const outcome = await this.#exchange(nameNode.driver, operation.method, url, attempt, connection);
      if (outcome.kind === 'reply') return outcome;
      last = outcome;
      if (outcome.received === 'perhaps') received = 'perhaps';
      if (!isPassing(outcome.error)) break;
      if (outcome.received === 'perhaps' && operation.repeatable === 'if-not-received') break;
      // Another call may have gone over meanwhile.
      if (this.#active === index) this.#active = (index + 1) % this.#nameNodes.length;
    }
    if (last?.kind !== 'failed')
      throw new GridError('defect', `${operation.name} ${operation.path}: no NameNode was tried.`);
    return { ...last, received };
  }

  async #exchange(
    driver: Driver,
    method: string,
    url: string,
    attempt: Attempt,
    connection: 'kept' | 'own',
  ): Promise<Outcome> {
    const { callTimeoutMs } = this.#options;
    const request = driver._sendRequest(method, url, connection === 'own' ? { pool: false } : {}, () => {
      // The events below carry more: the callback gets no reply when the status is one of an error.
    });
    const outcome = new Promise<Outcome>((resolve) => {
      request.on('error', (cause: unknown) => {
        resolve({
          kind: 'failed',
          error: errorOfConnection(attempt, cause),
          received: wasNeverSent(cause) ? 'no' : 'perhaps',
        });
      });
      request.on('complete', (response: http.IncomingMessage, body: unknown) => {
        const status = response.statusCode ?? 0;
        if (status === 200 || status === 307) {
          resolve({ kind: 'reply', reply: { status, body, location: response.headers.location, attempt } });
        } else {
          const received = wasNotTried(body) ? 'no' : 'perhaps';
          resolve({ kind: 'failed', error: errorOfReply(attempt, status, body), received });
        }
      });
    });
    try {
      const end = await orLate(callTimeoutMs, orAborted(outcome, this.#closing.signal));
      if (!end.late) return end.value;
      request.abort();
      return { kind: 'failed', error: errorOfSilence(attempt, callTimeoutMs), received: 'perhaps' };
    } catch {
      // Only the closing of the client ends the wait like this.
      request.abort();
      return { kind: 'failed', error: errorOfClosing(attempt), received: 'perhaps' };
    }
  }

  #current(): NameNode {
    const nameNode = this.#nameNodes[this.#active];
    if (nameNode === undefined)
      throw new GridError('defect', `Choosing a NameNode: there is no number ${this.#active}.`);
    return nameNode;
  }

  #attempt(nameNode: NameNode, operation: Operation): Attempt {
    return { operation: operation.name, path: operation.path, server: `NameNode ${nameNode.host}` };
  }
}

/** `host:port` of a URL, for messages. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
