import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;
/** What a session was set to for longer than a transaction, then as it is given to somebody else. */
const LEFT_BEHIND = `SELECT coalesce(string_agg(name, ',' ORDER BY name), '') FROM pg_catalog.pg_settings WHERE source = 'session'`;

/**
 * In front of PostgreSQL what PgBouncer is in transaction mode, as far as a client can tell: it answers the login with a key of
 * its own, passes on cancellations by that key, and after each transaction the session is not what the client has set.
 */
export class TransactionPooler {
  /** Settings that clients have left behind in sessions that others get. */
  readonly leftBehind = new Set<string>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #keys = new Map<number, Buffer>();
  readonly #target: { readonly host: string; readonly port: number };
  #logins = 0;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => {
      this.#serve(client);
    });
  }

  static async start(host: string, port: number): Promise<TransactionPooler> {
    const pooler = new TransactionPooler({ host, port });
    await new Promise<void>((resolve) => pooler.#server.listen(0, '127.0.0.1', resolve));
    return pooler;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Logins so far. */
  get logins(): number {
    return this.#logins;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    this.#keep(client);
    let held = Buffer.alloc(0);
    const onData = (piece: Buffer): void => {
      held = Buffer.concat([held, piece]);
      if (held.length < 8 || held.length < held.readInt32BE(0)) return;
      const code = held.readInt32BE(4);
      if (code === SSL_REQUEST) {
        held = held.subarray(8);
        client.write('N');
        return;
      }
      client.off('data', onData);
      const server = connect(this.#target);
      this.#keep(server);
      if (code === CANCEL_REQUEST) {
        const key = this.#keys.get(held.readInt32BE(8));
        if (key === undefined) server.destroy();
        else server.end(Buffer.concat([held.subarray(0, 8), key]));
        server.once('close', () => client.destroy());
        return;
      }
      this.#join(client, server);
      server.write(held);
    };
    client.on('data', onData);
  }

  #join(client: Socket, server: Socket): void {
    client.on('data', (piece) => server.write(piece));
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
    let held = Buffer.alloc(0);
    let resetting = false;
    let isLogin = true;
    server.on('data', (piece: Buffer) => {
      held = Buffer.concat([held, piece]);
      while (held.length >= 5 && held.length >= 1 + held.readInt32BE(1)) {
        const end = 1 + held.readInt32BE(1);
        const message = Buffer.from(held.subarray(0, end));
        held = held.subarray(end);
        const type = String.fromCharCode(message[0] ?? 0);
        if (type === 'K') this.#replaceKey(message);
        const isIdle = type === 'Z' && message[5] === 'I'.charCodeAt(0);
        if (resetting) {
          if (type === 'D') this.#noteLeftBehind(message);
          if (type === 'S' || isIdle) client.write(message);
          if (isIdle) resetting = false;
        } else if (isIdle && !isLogin) {
          resetting = true;
          server.write(simpleQuery(`${LEFT_BEHIND}; RESET ALL`));
        } else {
          client.write(message);
        }
        if (isIdle) isLogin = false;
      }
    });
  }

  #replaceKey(message: Buffer): void {
    const own = 1_000_000_000 + ++this.#logins;
    this.#keys.set(own, Buffer.from(message.subarray(5, 13)));
    message.writeInt32BE(own, 5);
    message.writeInt32BE(7, 9);
  }

  /** A DataRow of one field. */
  #noteLeftBehind(message: Buffer): void {
    for (const name of message.toString('utf8', 11).split(',')) if (name !== '') this.leftBehind.add(name);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function simpleQuery(text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5, 'Q');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}
