import { GridError } from '../../grid/errors.ts';
import type { HiveAddress } from './address.ts';
import { HiveConnection, type HiveOperation } from './connection.ts';
import { hiveTimeout } from './failure.ts';

export interface SessionPoolOptions {
  readonly address: HiveAddress;
  readonly user: string;
  readonly callTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxSessions: number;
  readonly idleMs: number;
}

interface Waiter {
  /** It has a slot now. */
  readonly proceed: () => void;
  readonly fail: (error: Error) => void;
}

/**
 * Connections to HiveServer2, each lent to one statement at a time, so that a statement that hangs or is cancelled holds up no
 * other. A connection is either lent, or idle (and closed after a while), or being left: then it counts no more.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #idle: { readonly connection: HiveConnection; readonly timer: NodeJS.Timeout }[] = [];
  readonly #lent = new Set<HiveConnection>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #waiters: Waiter[] = [];
  /** Slots in use: connections lent or being opened, and slots handed to a waiter. */
  #used = 0;
  #closed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** A connection for the caller alone, until it is given back or abandoned. */
  async take(signal: AbortSignal | undefined): Promise<HiveConnection> {
    signal?.throwIfAborted();
    this.#refuseWhenClosed();
    if (this.#used < this.#options.maxSessions) this.#used++;
    else await this.#slot(signal);
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (!idle.connection.isOpen) continue;
      this.#lent.add(idle.connection);
      return idle.connection;
    }
    return this.#open(signal);
  }

  giveBack(connection: HiveConnection): void {
    if (!this.#lent.delete(connection)) return;
    if (connection.isOpen && !this.#closed) {
      const timer = setTimeout(() => {
        const index = this.#idle.findIndex((idle) => idle.connection === connection);
        if (index >= 0) this.#idle.splice(index, 1);
        this.#leave(connection.close());
      }, this.#options.idleMs);
      timer.unref();
      this.#idle.push({ connection, timer });
    } else {
      this.#leave(connection.close());
    }
    this.#freeSlot();
  }

  /** Cancels the operation and leaves the connection, without the caller waiting for it. */
  abandon(connection: HiveConnection, operation: HiveOperation | undefined): void {
    if (!this.#lent.delete(connection)) return;
    this.#leave(connection.abandon(operation));
    this.#freeSlot();
  }

  /** When all connections that are being left have been left. */
  async settled(): Promise<void> {
    await Promise.all(this.#leaving);
  }

  /** What is lent is cut: the server ends a session that loses its connection, and what runs in it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.fail(this.#closedError());
    for (const connection of this.#lent) connection.cut(this.#closedError());
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      this.#leave(connection.close());
    }
    await Promise.all(this.#leaving);
  }

  async #open(signal: AbortSignal | undefined): Promise<HiveConnection> {
    const { address, user, connectTimeoutMs, callTimeoutMs } = this.#options;
    try {
      const connection = await HiveConnection.open(address, user, { connectTimeoutMs, limitMs: callTimeoutMs, signal });
      this.#lent.add(connection);
      // close() could not see it.
      if (this.#closed) connection.cut(this.#closedError());
      return connection;
    } catch (error) {
      this.#freeSlot();
      throw error;
    }
  }

  /** The slot goes to whoever waits longest. */
  #freeSlot(): void {
    const next = this.#waiters.shift();
    if (next === undefined) this.#used--;
    else next.proceed();
  }

  #slot(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const limitMs = this.#options.callTimeoutMs;
      const settle = (act: () => void) => () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        act();
      };
      const waiter: Waiter = {
        proceed: settle(resolve),
        fail: (error) => {
          settle(() => {
            reject(error);
          })();
        },
      };
      const abort = (): void => {
        waiter.fail(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        waiter.fail(
          hiveTimeout(
            `Waiting for one of ${this.#options.maxSessions} sessions of Hive at ${this.#options.address.text}`,
            limitMs,
          ),
        );
      }, limitMs);
      signal?.addEventListener('abort', abort);
      this.#waiters.push(waiter);
    });
  }

  #leave(farewell: Promise<void>): void {
    this.#leaving.add(farewell);
    void farewell.then(() => this.#leaving.delete(farewell));
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw this.#closedError();
  }

  #closedError(): GridError {
    return new GridError(
      'shutting-down',
      `Talking to Hive at ${this.#options.address.text}: the client was closed. Start the process again.`,
    );
  }
}
