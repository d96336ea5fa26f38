import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface TcpProxyOptions {
  readonly targetHost: string;
  readonly targetPort: number;
  /** Port to listen on. Default: any free one. */
  readonly port?: number;
}

/**
 * A plain TCP proxy in front of a real server (Kafka, Redis, MongoDB, …) that can cut, hang, delay and refuse.
 *
 * Modes: `passing` ⇄ `hanging` (connections stay and new ones are taken, but no byte moves either way); from both → `refusing`
 * (nothing listens, connections are reset) and back by `pass()`. `cut()` resets the present connections in any mode.
 */
export class TcpProxy {
  #options: TcpProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #mode: 'passing' | 'hanging' | 'refusing' = 'passing';
  #delayMs = 0;
  #port = 0;
  #accepted = 0;
  #bytesToTarget = 0;
  #bytesToClient = 0;

  private constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#server = createServer((client) => {
      this.#join(client);
    });
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await proxy.#listen(options.port ?? 0);
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** `localhost:<port>`. */
  get address(): string {
    return `localhost:${this.#port}`;
  }

  /** Connections taken since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that stand now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Bytes passed from clients to the server since the start. */
  get bytesToTarget(): number {
    return this.#bytesToTarget;
  }

  /** Bytes passed from the server to clients since the start. */
  get bytesToClient(): number {
    return this.#bytesToClient;
  }

  /** Resets every present connection; new ones are taken as before. */
  cut(): void {
    for (const [client, target] of this.#pairs) {
      client.resetAndDestroy();
      target.destroy();
    }
  }

  /** No byte moves any more, on present and new connections. */
  hang(): void {
    this.#mode = 'hanging';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  /** Each piece of data is passed on so much later, both ways. 0: at once. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Nothing listens any more and every connection is reset, as when the server is killed. */
  async refuse(): Promise<void> {
    if (this.#mode === 'refusing') return;
    this.#mode = 'refusing';
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  /** Ends `hang()` and `refuse()`: at the same port, what was held back goes on. */
  async pass(): Promise<void> {
    const before = this.#mode;
    this.#mode = 'passing';
    if (before === 'refusing') await this.#listen(this.#port);
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** New connections go to another port: that of the server which took the place of the former. */
  retarget(targetPort: number): void {
    this.#options = { ...this.#options, targetPort };
  }

  async close(): Promise<void> {
    await this.refuse();
  }

  #join(client: Socket): void {
    this.#accepted++;
    const target = connect({ host: this.#options.targetHost, port: this.#options.targetPort });
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    this.#forward(client, target, (bytes) => (this.#bytesToTarget += bytes));
    this.#forward(target, client, (bytes) => (this.#bytesToClient += bytes));
    const part = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      target.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {
        // `close` follows.
      });
      socket.once('close', part);
    }
    if (this.#mode === 'hanging') for (const socket of pair) socket.pause();
  }

  #forward(from: Socket, to: Socket, count: (bytes: number) => void): void {
    const send = (chunk: Buffer): void => {
      if (to.destroyed) return;
      count(chunk.length);
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (this.#mode === 'passing') from.resume();
      });
    };
    from.on('data', (chunk: Buffer) => {
      if (this.#delayMs === 0) send(chunk);
      else {
        setTimeout(() => {
          send(chunk);
        }, this.#delayMs);
      }
    });
    from.on('end', () => {
      setTimeout(() => to.end(), this.#delayMs);
    });
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }
}
