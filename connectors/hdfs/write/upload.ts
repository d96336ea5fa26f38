import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { GridError } from '../../../grid/errors.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import { errorOfClosing, errorOfConnection, errorOfReply, errorOfSilence, type Attempt } from '../failure.ts';

/** Longest body of an error reply that is kept. A RemoteException with its stack trace has some 2 KB. */
const MAX_REPLY_BYTES = 64 * 1024;

type Mode =
  | { readonly name: 'open' }
  | { readonly name: 'writing' }
  | { readonly name: 'closing' }
  | { readonly name: 'closed' }
  | { readonly name: 'failed'; readonly error: GridError }
  | { readonly name: 'aborted' };

/** The modes that may follow each. */
const NEXT: Readonly<Record<Mode['name'], readonly Mode['name'][]>> = {
  open: ['writing', 'closing', 'failed', 'aborted'],
  writing: ['open', 'failed', 'aborted'],
  closing: ['closed', 'failed', 'aborted'],
  closed: [],
  failed: [],
  aborted: [],
};

/** Wait for a DataNode's `100 Continue`, which a gateway in between may swallow. */
const CONTINUE_GRACE_MS = 200;

/**
 * The body of one CREATE, streamed to a DataNode: the transport below `HdfsWriter`, without its verification.
 *
 * By `node:http`, not by the driver: the driver's write stream hides the DataNode's reply (a 429 or 503 is a `finish` without an
 * error), and its connection, so that it can be neither bounded in time nor aborted.
 *
 * Modes: `open` → `writing` → `open` → `closing` → `closed`; `open | writing | closing` → `failed` (by an error, silence, or any
 * reply that comes before the end or is not 201) or `aborted`. The last three are final.
 */
export class DataNodeUpload {
  /** What it does and where, for messages. */
  readonly attempt: Attempt;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly cut: Promise<void>;
  readonly #idleTimeoutMs: number;
  readonly #request: http.ClientRequest;
  #mode: Mode = { name: 'open' };
  /** Settles the `write()` or `close()` under way. */
  #waiter: { resolve: () => void; reject: (error: GridError) => void } | undefined;
  #onAccepted: (() => void) | undefined;
  #wasSent = false;
  #replied = false;

  /** Connects at once; see {@link accepted} for when it stands. */
  constructor(url: string, attempt: Attempt, idleTimeoutMs: number) {
    this.attempt = attempt;
    this.#idleTimeoutMs = idleTimeoutMs;
    const { request } = url.startsWith('https:') ? https : http;
    // A DataNode closes the connection after each file, so there is nothing to keep: no agent.
    this.#request = request(url, {
      method: 'PUT',
      agent: false,
      headers: { 'Content-Type': 'application/octet-stream', 'Transfer-Encoding': 'chunked' },
    });
    this.#request.setNoDelay(true);
    this.#request.on('socket', (socket) => {
      this.#onSocket(socket);
    });
    this.#request.on('response', (response) => {
      this.#onResponse(response);
    });
    this.#request.on('error', (cause) => {
      // What a reply says is worth more than the broken connection that follows it.
      if (this.#replied) return;
      this.#fail(errorOfConnection(this.attempt, cause));
    });
    this.cut = new Promise((resolve) => {
      this.#request.once('close', () => {
        if (!this.#replied) this.#fail(errorOfConnection(this.attempt, new Error('the connection was closed')));
        resolve();
      });
    });
    this.#request.flushHeaders();
  }

  /** The error it failed with, if it did. */
  get failure(): GridError | undefined {
    return this.#mode.name === 'failed' ? this.#mode.error : undefined;
  }

  /** False: the DataNode cannot have received the request. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  /**
   * Resolves when the DataNode has the request's head, which does not say that the file exists: a DataNode sends `100 Continue`
   * before it asks the NameNode. Rejects when it answers with an error or cannot be connected to within `timeoutMs`.
   */
  async accepted(timeoutMs: number): Promise<void> {
    const accepted = new Promise<void>((resolve, reject) => {
      this.#assertOpen();
      this.#waiter = { resolve, reject };
      this.#onAccepted = () => {
        this.#settle();
      };
      this.#request.once('continue', () => this.#onAccepted?.());
    });
    const end = await orLate(timeoutMs, accepted);
    if (!end.late) return;
    this.#fail(errorOfSilence(this.attempt, timeoutMs));
    await accepted;
  }

  /** Sends bytes; resolves when the system has taken them all. `whileSending` runs while the DataNode already works on them. */
  write(chunk: Buffer, whileSending?: () => void): Promise<void> {
    if (chunk.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      this.#become({ name: 'writing' });
      this.#waiter = { resolve, reject };
      this.#request.write(chunk, (error) => {
        // Without an error the bytes are with the system; with one, the request's `error` event says more.
        if (error == null && this.#mode.name === 'writing') {
          this.#become({ name: 'open' });
          this.#settle();
        }
      });
      // The request hands its bytes to the socket at the next tick; this tick comes right after.
      if (whileSending !== undefined) process.nextTick(whileSending);
    });
  }

  /** Ends the body and waits for the DataNode's 201. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      this.#become({ name: 'closing' });
      this.#waiter = { resolve, reject };
      this.#request.end();
    });
  }

  /** Cuts the connection; resolves when it is cut. Without effect on what is `closed` or `failed`. */
  abort(reason: 'given-up' | 'shutting-down' = 'given-up'): Promise<void> {
    if (this.#mode.name === 'open' || this.#mode.name === 'writing' || this.#mode.name === 'closing') {
      if (reason === 'shutting-down') {
        this.#fail(errorOfClosing(this.attempt));
      } else {
        this.#become({ name: 'aborted' });
        this.#settle(abortedError(this.attempt));
        this.#request.destroy();
      }
    }
    return this.cut;
  }

  #onSocket(socket: Socket): void {
    const arm = (): void => {
      this.#wasSent = true;
      socket.setKeepAlive(true, 30_000);
      // Node's socket timer restarts whenever bytes move, also in the middle of a large write.
      socket.setTimeout(this.#idleTimeoutMs);
      setTimeout(() => this.#onAccepted?.(), CONTINUE_GRACE_MS).unref();
    };
    if (socket.connecting) socket.once('connect', arm);
    else arm();
    socket.on('timeout', () => {
      // An open file may wait for readings as long as it likes; only what is under way must move.
      if (this.#mode.name !== 'writing' && this.#mode.name !== 'closing') return;
      const what = this.#mode.name === 'writing' ? 'no byte was taken' : 'the end of the file was not confirmed';
      this.#fail(errorOfSilence(this.attempt, this.#idleTimeoutMs, what));
    });
  }

  #onResponse(response: http.IncomingMessage): void {
    this.#replied = true;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      this.#onReply(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'), response.complete);
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REPLY_BYTES) chunks.push(chunk);
      else response.destroy();
    });
    response.on('error', () => {
      // `close` follows.
    });
    response.once('close', finish);
    // A reply that comes before the end stops the upload; the rest of its body has until the idle limit.
    response.setTimeout(this.#idleTimeoutMs, () => {
      response.destroy();
    });
  }

  #onReply(status: number, body: string, isWhole: boolean): void {
    if (status === 201 && isWhole && this.#mode.name === 'closing') {
      this.#become({ name: 'closed' });
      this.#settle();
    } else if (status === 201) {
      const what = isWhole ? 'a 201 that came before the end of the file' : 'a reply that was cut';
      this.#fail(errorOfConnection(this.attempt, new Error(what)));
    } else {
      this.#fail(errorOfReply(this.attempt, status, body));
    }
    this.#request.destroy();
  }

  #fail(error: GridError): void {
    if (this.#mode.name === 'closed' || this.#mode.name === 'failed' || this.#mode.name === 'aborted') return;
    this.#become({ name: 'failed', error });
    this.#settle(error);
    this.#request.destroy();
  }

  #settle(error?: GridError): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#onAccepted = undefined;
    if (error === undefined) waiter?.resolve();
    else waiter?.reject(error);
  }

  #become(mode: Mode): void {
    if (!NEXT[this.#mode.name].includes(mode.name)) {
      const { operation, path } = this.attempt;
      throw new GridError('defect', `${operation} ${path}: ${mode.name} after ${this.#mode.name}.`);
    }
    this.#mode = mode;
  }

  #assertOpen(): void {
    const mode = this.#mode;
    if (mode.name === 'failed') throw mode.error;
    if (mode.name === 'aborted') throw abortedError(this.attempt);
    if (mode.name !== 'open' || this.#waiter !== undefined) {
      throw new GridError(
        'defect',
        `${this.attempt.operation} ${this.attempt.path}: used while ${mode.name}. Await each write() before the next call.`,
      );
    }
  }
}

function abortedError(attempt: Attempt): GridError {
  return new GridError(
    'shutting-down',
    `${attempt.operation} ${attempt.path} at ${attempt.server}: given up by its writer.`,
  );
}
