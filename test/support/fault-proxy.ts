import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { finished } from 'node:stream';
import type { Fault, Match, Role, Rule, SeenRequest } from './fault-proxy-rules.ts';
import { applyReplyFault, applyRequestFault } from './fault-proxy-streams.ts';

export type { Fault, Match, Role, Rule, SeenRequest } from './fault-proxy-rules.ts';

interface Listener {
  readonly server: http.Server;
  readonly role: Role;
  readonly upstream: URL;
  readonly port: number;
  readonly sockets: Set<Socket>;
}

interface ArmedRule {
  readonly rule: Rule;
  seen: number;
}

/** Requests remembered for {@link FaultProxy.seen}; older ones are forgotten. */
const MAX_SEEN = 100_000;
/** Operations whose NameNode reply sends the client on to a DataNode. */
const REDIRECTED = new Set(['CREATE', 'OPEN', 'GETFILECHECKSUM', 'APPEND']);

/**
 * A proxy in front of a real NameNode and its DataNodes that does harm on demand. The address of a DataNode in a NameNode's
 * reply is rewritten to a listener of the proxy's own, so all traffic passes here.
 */
export class FaultProxy {
  readonly #listeners = new Map<string, Promise<Listener>>();
  #rules: ArmedRule[] = [];
  readonly #seen: SeenRequest[] = [];
  readonly #socketsUsed = new WeakSet<Socket>();
  readonly #nameNodeUrl: URL;
  #url = '';

  private constructor(nameNodeUrl: string) {
    this.#nameNodeUrl = new URL(nameNodeUrl);
  }

  static async start(nameNodeUrl: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(nameNodeUrl);
    const { port } = await proxy.#listenerFor('namenode', proxy.#nameNodeUrl);
    proxy.#url = `http://localhost:${port}`;
    return proxy;
  }

  /** Stands in for the NameNode's URL. */
  get url(): string {
    return this.#url;
  }

  /** Adds a rule; of several that match the first counts. Returns a function that takes it away. */
  add(rule: Rule): () => void {
    const armed = { rule, seen: 0 };
    this.#rules.push(armed);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== armed);
    };
  }

  /** Forgets all rules and all that was seen. */
  reset(): void {
    this.#rules = [];
    this.#seen.length = 0;
  }

  /** What came by, oldest first. */
  seen(match: Match = {}): SeenRequest[] {
    return this.#seen.filter((request) => matches(match, request));
  }

  /** Number of requests that came by. */
  count(match: Match = {}): number {
    return this.seen(match).length;
  }

  /** Stops listening for a role and resets its connections, as when the server dies. */
  async down(role: Role): Promise<void> {
    for (const listener of await this.#listenersOf(role)) {
      const closed = new Promise((resolve) => listener.server.close(resolve));
      for (const socket of listener.sockets) socket.resetAndDestroy();
      await closed;
    }
  }

  /** Listens again, at the same addresses. */
  async up(role: Role): Promise<void> {
    for (const { server, port } of await this.#listenersOf(role)) {
      if (!server.listening) await listen(server, port);
    }
  }

  async close(): Promise<void> {
    await this.down('namenode');
    await this.down('datanode');
  }

  async #listenersOf(role: Role): Promise<Listener[]> {
    return (await Promise.all(this.#listeners.values())).filter((listener) => listener.role === role);
  }

  #listenerFor(role: Role, upstream: URL): Promise<Listener> {
    const key = `${role} ${upstream.host}`;
    const known = this.#listeners.get(key);
    if (known !== undefined) return known;
    const server = http.createServer();
    const starting = (async (): Promise<Listener> => {
      const sockets = new Set<Socket>();
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('error', () => {
          // A connection that is reset on purpose.
        });
        socket.once('close', () => sockets.delete(socket));
      });
      server.on('request', (request, response) => {
        this.#handle(role, upstream, request, response);
      });
      await listen(server, 0);
      return { server, role, upstream, port: (server.address() as AddressInfo).port, sockets };
    })();
    this.#listeners.set(key, starting);
    return starting;
  }

  #handle(role: Role, upstream: URL, request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', upstream);
    const facts = {
      role,
      op: (url.searchParams.get('op') ?? '').toUpperCase(),
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname).replace(/^\/webhdfs\/v1/, ''),
      reusedConnection: this.#socketsUsed.has(request.socket),
    };
    this.#socketsUsed.add(request.socket);
    const fault = this.#faultFor(facts);
    this.#seen.push({ ...facts, fault: fault?.kind });
    if (this.#seen.length > MAX_SEEN) this.#seen.shift();
    request.on('error', () => {
      // The client went away; the upstream request is cut below.
    });
    response.on('error', () => {
      // As above.
    });
    if (fault?.kind === 'status') {
      const answer = (): void => {
        sendStatus(response, fault.status, fault.body);
      };
      if (fault.early === true) answer();
      else request.resume().once('end', answer);
    } else if (fault?.kind === 'hang') {
      request.resume();
    } else if (fault?.kind === 'cut') {
      request.socket.resetAndDestroy();
    } else {
      const pass = (): void => {
        this.#pass(facts, url, request, response, fault);
      };
      if (fault?.kind === 'delay') setTimeout(pass, fault.ms);
      else pass();
    }
  }

  #faultFor(facts: Omit<SeenRequest, 'fault'>): Fault | undefined {
    for (const armed of this.#rules) {
      const { rule } = armed;
      if (!matches(rule, facts)) continue;
      armed.seen++;
      const turn = armed.seen - (rule.skip ?? 0);
      if (turn >= 1 && turn <= (rule.times ?? Infinity)) return rule.fault;
    }
    return undefined;
  }

  #pass(
    facts: Omit<SeenRequest, 'fault'>,
    url: URL,
    request: http.IncomingMessage,
    response: http.ServerResponse,
    fault: Fault | undefined,
  ): void {
    const upstream = http.request(url, {
      method: request.method,
      headers: { ...request.headers, host: url.host, connection: 'close' },
      agent: false,
    });
    const cutBoth = (): void => {
      upstream.destroy();
      request.socket.resetAndDestroy();
    };
    upstream.on('continue', () => {
      if (fault?.kind !== 'swallow-continue') response.writeContinue();
    });
    upstream.on('error', () => {
      // The real server refused or broke the connection: so does its stand-in.
      request.socket.resetAndDestroy();
    });
    finished(response, () => {
      // A client that goes away in the middle takes its upstream request with it.
      if (!response.writableEnded) upstream.destroy();
    });
    upstream.on('response', (reply) => {
      reply.on('error', cutBoth);
      if (fault?.kind === 'hang-afterwards') {
        reply.resume();
      } else if (fault?.kind === 'cut-afterwards') {
        reply.resume();
        request.socket.resetAndDestroy();
      } else if (fault?.kind === 'status-afterwards') {
        reply.resume().once('end', () => {
          sendStatus(response, fault.status, fault.body);
        });
      } else if (facts.role === 'namenode' && REDIRECTED.has(facts.op)) {
        void this.#passRedirect(reply, response);
      } else {
        applyReplyFault(fault, reply, response);
      }
    });
    applyRequestFault(fault, request, upstream, cutBoth);
  }

  /** Passes a NameNode's reply with the DataNode's address replaced. */
  async #passRedirect(reply: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of reply) if (chunk instanceof Buffer) chunks.push(chunk);
    let body = Buffer.concat(chunks).toString('utf8');
    const headers = { ...reply.headers };
    delete headers['content-length'];
    delete headers['transfer-encoding'];
    delete headers.connection;
    if (headers.location !== undefined) headers.location = await this.#rewritten(headers.location);
    const inBody = /^\{"Location":("(?:[^"\\]|\\.)*")\}$/.exec(body.trim())?.[1];
    if (inBody !== undefined) body = JSON.stringify({ Location: await this.#rewritten(String(JSON.parse(inBody))) });
    response.writeHead(reply.statusCode ?? 502, headers);
    response.end(body);
  }

  async #rewritten(location: string): Promise<string> {
    const url = new URL(location);
    const { port } = await this.#listenerFor('datanode', new URL(url.origin));
    url.port = String(port);
    return url.href;
  }
}

function matches(match: Match, request: Omit<SeenRequest, 'fault'>): boolean {
  const { role, op, method, path } = match;
  if (role !== undefined && role !== request.role) return false;
  if (op !== undefined && op !== request.op) return false;
  if (method !== undefined && method !== request.method) return false;
  if (path === undefined) return true;
  return typeof path === 'string' ? request.path.includes(path) : path.test(request.path);
}

function sendStatus(response: http.ServerResponse, status: number, body = ''): void {
  response.writeHead(status, { 'Content-Type': body.startsWith('{') ? 'application/json' : 'text/plain' });
  response.end(body);
}

function listen(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
