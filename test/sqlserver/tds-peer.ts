import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { tlsOver, type Certificate } from './tds-tls.ts';
import {
  done,
  DONE_ATTENTION,
  DONE_COUNT,
  DONE_ERROR,
  errorToken,
  loginAck,
  metadata,
  rowToken,
  transactionChange,
  type PeerColumn,
  type PeerValue,
} from '../../connectors/sqlserver/test-tokens.ts';

/** What a script may answer to a statement. */
export interface Reply {
  /** Rows, sent as fast as the socket takes them. `counted` lies about their number when it is given. */
  rows(columns: readonly PeerColumn[], rows: Iterable<readonly PeerValue[]>, counted?: number): Promise<void>;
  /** `endsTransaction`: the server rolls back the transaction that runs. */
  error(number: number, message: string, options?: { readonly endsTransaction?: boolean }): void;
  /** Rows like `rows`, and then nothing more: the reply never ends. */
  rowsWithoutEnd(columns: readonly PeerColumn[], rows: Iterable<readonly PeerValue[]>): Promise<void>;
  /** A reply that ends within a row. */
  halfRow(columns: readonly PeerColumn[], row: readonly PeerValue[]): void;
  /** Resets the connection. */
  cut(): void;
}

export interface PeerOptions {
  /** ENCRYPTION of the PRELOGIN reply: 0 off, 1 on, 2 not supported, 3 required. Default 2. */
  readonly encryption?: number;
  /** What TLS is spoken with, where `encryption` is 1 or 3. */
  readonly certificate?: Certificate;
  /** Login is refused with these messages. */
  readonly loginErrors?: readonly { readonly number: number; readonly state?: number; readonly message: string }[];
  /** Port to listen at; default: any that is free. */
  readonly port?: number;
  /** Answers a statement. Default: an empty result. */
  readonly answer?: (statement: string, reply: Reply) => void | Promise<void>;
  /** Whether a cancelled statement is acknowledged. Default true. */
  readonly acknowledgesCancel?: boolean;
}

const PRELOGIN = 0x12;
const LOGIN = 0x10;
const BATCH = 0x01;
const TRANSACTION = 0x0e;
const ATTENTION = 0x06;
const PACKET_BYTES = 4_096;
/** Of a transaction manager request. */
const ROLLED_BACK = 8;

/**
 * The far end of a TDS connection, played from a script: for what a real server does only on a bad day (refuses encryption,
 * hangs, cuts, does not acknowledge a cancel, sends other bytes than it has hashed). It knows no SQL.
 */
export class TdsPeer {
  readonly #options: PeerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Statements received, in order. */
  readonly statements: string[] = [];
  logins = 0;
  cancels = 0;
  begins = 0;

  private constructor(options: PeerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  static async start(options: PeerOptions = {}): Promise<TdsPeer> {
    const peer = new TdsPeer(options);
    await new Promise<void>((resolve) => peer.#server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(parameters = 'encrypt=false'): string {
    return `mssql://reader:s3cret@127.0.0.1:${this.port}/history?${parameters}`;
  }

  get open(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    // Closing it twice is no error here.
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    this.#listen(socket, socket);
  }

  /** Takes packets from a stream: the socket, or the TLS over it. */
  #listen(stream: Duplex, socket: Socket): void {
    let buffered = Buffer.alloc(0);
    let message = Buffer.alloc(0);
    const exchange: Exchange = { cancelled: false, replying: false };
    stream.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 8 && buffered.length >= buffered.readUInt16BE(2)) {
        const length = buffered.readUInt16BE(2);
        const packet = buffered.subarray(0, length);
        buffered = buffered.subarray(length);
        message = Buffer.concat([message, packet.subarray(8)]);
        const last = ((packet[1] ?? 0) & 1) === 1;
        if (!last) continue;
        const whole = message;
        message = Buffer.alloc(0);
        this.#receive(stream, socket, packet[0] ?? 0, whole, exchange);
      }
    });
  }

  #receive(stream: Duplex, socket: Socket, type: number, message: Buffer, exchange: Exchange): void {
    if (type === PRELOGIN) {
      // One option, ENCRYPTION: token, offset 6, length 1, terminator, value.
      void send(stream, Buffer.from([0x01, 0, 6, 0, 1, 0xff, this.#options.encryption ?? 2]), true);
      if (this.#options.certificate !== undefined) this.#listen(tlsOver(socket, this.#options.certificate), socket);
    } else if (type === LOGIN) {
      this.logins++;
      const refusals = this.#options.loginErrors ?? [];
      const tokens = refusals.map(({ number, state, message }) => errorToken(number, message, state));
      const answered = refusals.length === 0 ? [loginAck(), done(0)] : [...tokens, done(DONE_ERROR)];
      void send(stream, Buffer.concat(answered), true);
    } else if (type === TRANSACTION) {
      const kind = message.readUInt16LE(message.readUInt32LE(0));
      if (kind === 5) this.begins++;
      void send(stream, Buffer.concat([transactionChange(kind), done(0)]), true);
    } else if (type === ATTENTION) {
      this.cancels++;
      exchange.cancelled = true;
      if (!(this.#options.acknowledgesCancel ?? true)) return;
      // The reply that was under way ends first, then comes the acknowledgement as a message of its own.
      if (exchange.replying) void send(stream, done(DONE_ERROR), true);
      exchange.replying = false;
      void send(stream, done(DONE_ATTENTION), true);
    } else if (type === BATCH) {
      exchange.cancelled = false;
      exchange.replying = true;
      const statement = message.subarray(message.readUInt32LE(0)).toString('utf16le');
      // The driver's own settings after login are no statements of ours.
      if (/^set ansi_nulls/i.test(statement.trim())) {
        exchange.replying = false;
        void send(stream, done(0), true);
        return;
      }
      this.statements.push(statement);
      const reply = replyOn(stream, socket, exchange);
      const answer = this.#options.answer ?? ((_, empty: Reply) => empty.rows(['text'], []));
      void Promise.resolve(answer(statement, reply)).catch(() => socket.destroy());
    }
  }
}

/** What a connection is at. */
interface Exchange {
  cancelled: boolean;
  /** A reply has begun, or is owed, and has not ended. */
  replying: boolean;
}

function replyOn(stream: Duplex, socket: Socket, exchange: Exchange): Reply {
  const sendRows = async (columns: readonly PeerColumn[], rows: Iterable<readonly PeerValue[]>): Promise<number> => {
    let sent = 0;
    let tokens = [metadata(columns)];
    let bytes = 0;
    for (const row of rows) {
      // A cancelled statement ends, as far as the client is concerned, with the acknowledgement.
      if (exchange.cancelled || socket.destroyed) return sent;
      const token = rowToken(columns, row);
      tokens.push(token);
      bytes += token.length;
      sent++;
      if (bytes < PACKET_BYTES) continue;
      // Whole rows only, since a cancel may end the reply here.
      await send(stream, Buffer.concat(tokens), false);
      tokens = [];
      bytes = 0;
    }
    if (!exchange.cancelled && tokens.length > 0) await send(stream, Buffer.concat(tokens), false);
    return sent;
  };
  return {
    async rows(columns, rows, counted) {
      const sent = await sendRows(columns, rows);
      if (exchange.cancelled) return;
      exchange.replying = false;
      await send(stream, done(DONE_COUNT, counted ?? sent), true);
    },
    async rowsWithoutEnd(columns, rows) {
      await sendRows(columns, rows);
    },
    error(number, message, options) {
      exchange.replying = false;
      const ended = options?.endsTransaction === true ? [transactionChange(ROLLED_BACK)] : [];
      void send(stream, Buffer.concat([errorToken(number, message), ...ended, done(DONE_ERROR)]), true);
    },
    halfRow(columns, row) {
      exchange.replying = false;
      const tokens = Buffer.concat([metadata(columns), rowToken(columns, row)]);
      void send(stream, tokens.subarray(0, -3), true);
    },
    cut() {
      socket.resetAndDestroy();
    },
  };
}

/** Sends tokens as packets; resolves when the socket wants more. */
function send(socket: Duplex, tokens: Buffer, last: boolean): Promise<void> {
  let flowing = true;
  const room = PACKET_BYTES - 8;
  const packets = Math.max(1, Math.ceil(tokens.length / room));
  for (let at = 0; at < packets; at++) {
    const part = tokens.subarray(at * room, (at + 1) * room);
    const head = Buffer.from([0x04, last && at === packets - 1 ? 1 : 0, 0, 0, 0, 0, (at + 1) & 0xff, 0]);
    head.writeUInt16BE(part.length + 8, 2);
    if (!socket.destroyed) flowing = socket.write(Buffer.concat([head, part]));
  }
  if (flowing || socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off('drain', go);
      socket.off('close', go);
      resolve();
    };
    socket.once('drain', go);
    socket.once('close', go);
  });
}
