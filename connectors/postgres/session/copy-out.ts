import type { Connection, Submittable } from 'pg';
import type { Duplex } from 'node:stream';
import { BORROWED } from './reusing-socket.ts';

/** Kinds of backend messages (frontend/backend protocol 3.0). */
const COPY_DATA = 'd'.charCodeAt(0);
/** What may stand before, between and after the data and is of no interest: responses, notices, parameters. */
const PASSED_OVER = new Set(['H', 'c', 'N', 'S', 'A'].map((letter) => letter.charCodeAt(0)));
/** Kind and length. */
const HEADER_BYTES = 5;

/**
 * A `COPY … TO STDOUT` as the driver runs queries. It takes the bytes from the socket itself and hands on the data in the pieces
 * in which they come, so that a row of any size is never held; the socket is not read while `receive` is waited for. All
 * data that the server sent before an error is handed on before the error is told, which `pg-copy-streams` does not do.
 *
 * States: `waiting` → `reading` (the socket's bytes come here) → `told` (the driver reads again, and brings the end or the error)
 * → `ended`; from each → `ended` when the connection breaks.
 */
export class CopyOut implements Submittable {
  readonly ended: Promise<void>;
  readonly #text: string;
  readonly #receive: (piece: Buffer) => Promise<void> | undefined;
  #state: 'waiting' | 'reading' | 'told' | 'ended' = 'waiting';
  #socket: Duplex | undefined;
  #driversListener: ((chunk: Buffer) => void) | undefined;
  /** The beginning of a header that came in parts. */
  #held: Buffer = Buffer.alloc(0);
  #kind = 0;
  #bytesLeft = 0;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  /**
   * @param receive takes data in the order in which it comes, in memory that is used again once it has returned and what it
   * returned is settled; must not fail
   */
  constructor(text: string, receive: (piece: Buffer) => Promise<void> | undefined) {
    this.#text = text;
    this.#receive = receive;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Called by the driver when it is this query's turn. */
  submit(connection: Connection): void {
    const socket = connection.stream;
    const [listener] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    if (listener !== undefined) socket.off('data', listener);
    this.#driversListener = listener;
    this.#socket = socket;
    socket.on(BORROWED, this.#onData);
    // With TLS the bytes come in memory of their own.
    socket.on('data', this.#onData);
    this.#state = 'reading';
    connection.query(this.#text);
  }

  /** Called by the driver: the statement failed, or the connection broke. */
  handleError(error: unknown): void {
    this.#socket?.off(BORROWED, this.#onData).off('data', this.#onData);
    this.#state = 'ended';
    this.#reject(error);
  }

  /** Called by the driver. */
  handleCommandComplete(): void {
    // `ReadyForQuery` follows.
  }

  /** Called by the driver: the server is done with it. */
  handleReadyForQuery(): void {
    this.#state = 'ended';
    this.#resolve();
  }

  readonly #onData = (chunk: Buffer): void => {
    const pieces: Buffer[] = [];
    const rest = this.#take(chunk, pieces);
    for (const [index, piece] of pieces.entries()) {
      const received = this.#receive(piece);
      if (received === undefined) continue;
      this.#socket?.pause();
      void this.#wait(received, pieces.slice(index + 1), rest);
      return;
    }
    if (rest !== undefined) this.#tell(rest);
  };

  async #wait(received: Promise<void>, pieces: readonly Buffer[], rest: Buffer | undefined): Promise<void> {
    await received;
    for (const piece of pieces) await this.#receive(piece);
    if (this.#state !== 'reading') return;
    if (rest !== undefined) this.#tell(rest);
    this.#socket?.resume();
  }

  /** Collects the data of a chunk; what begins with a message that is the driver's is given back. */
  #take(chunk: Buffer, pieces: Buffer[]): Buffer | undefined {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    let at = 0;
    while (at < bytes.length) {
      if (this.#bytesLeft === 0) {
        if (bytes.length - at < HEADER_BYTES) {
          this.#held = Buffer.from(bytes.subarray(at));
          return undefined;
        }
        this.#kind = bytes[at] ?? 0;
        if (this.#kind !== COPY_DATA && !PASSED_OVER.has(this.#kind)) return bytes.subarray(at);
        // The length counts itself.
        this.#bytesLeft = bytes.readUInt32BE(at + 1) - 4;
        at += HEADER_BYTES;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#bytesLeft);
      if (this.#kind === COPY_DATA) pieces.push(bytes.subarray(at, end));
      this.#bytesLeft -= end - at;
      at = end;
    }
    return undefined;
  }

  /** Gives the socket back to the driver, with the message that is for it. */
  #tell(rest: Buffer): void {
    const listener = this.#driversListener;
    if (this.#socket === undefined || listener === undefined) return;
    this.#state = 'told';
    this.#socket.off(BORROWED, this.#onData).off('data', this.#onData).on('data', listener);
    listener.call(this.#socket, Buffer.from(rest));
  }
}
