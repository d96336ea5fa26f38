import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { durabilityWarnings } from './durability.ts';
import { redisFailure } from './failure.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://`, with user, password and database number if any. */
  readonly url: string;
  readonly logger: Logger;
  /** Shown by `CLIENT LIST`. */
  readonly clientName: string;
  /** Longest wait for a connection, milliseconds; default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for a reply, milliseconds; default 5,000. */
  readonly commandTimeoutMs?: number;
}

export type RedisArgument = string | Buffer | number;

/** A Lua script that Redis runs as one atomic step. */
export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

export function redisScript(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

const MAX_RECONNECT_DELAY_MS = 1_000;

/**
 * One connection to Redis that keeps itself alive. ioredis is set up so that nothing waits unseen: without a connection a
 * command fails at once (no offline queue), with one that breaks or hangs it fails within the command's time limit, and
 * nothing is resent behind the caller's back. Every failure is a GridError `redis-unavailable` or `redis-refused`.
 */
export class RedisConnection {
  readonly #client: Redis;
  readonly #logger: Logger;
  readonly #connectTimeoutMs: number;
  readonly #address: string;
  #connectionProblem: Error | undefined;
  /** The connection is being given up, which ioredis does not show until it is closed. */
  #leaving = false;

  constructor(options: RedisOptions) {
    this.#logger = options.logger;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 3_000;
    const parsed = new URL(options.url);
    this.#address = `Redis at ${parsed.hostname}:${parsed.port === '' ? '6379' : parsed.port}`;
    this.#client = new Redis(options.url, {
      connectionName: options.clientName,
      connectTimeout: this.#connectTimeoutMs,
      disconnectTimeout: 500,
      commandTimeout: options.commandTimeoutMs ?? 5_000,
      enableOfflineQueue: false,
      // With 0, what is under way when the connection breaks is rejected at once instead of being sent again later.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
      maxLoadingRetryTime: 500,
      // After a failover the name may point to another server, while this connection still leads to the old one.
      reconnectOnError: (error) => error.message.includes('READONLY'),
    });
    this.#client.on('error', (error: Error) => {
      if (error.message !== this.#connectionProblem?.message) {
        this.#logger.warn({ err: error }, `${this.#address} cannot be reached; it is tried again`);
      }
      this.#connectionProblem = error;
    });
    this.#client.on('ready', () => {
      if (this.#connectionProblem !== undefined) this.#logger.info(`${this.#address} is reached again`);
      this.#connectionProblem = undefined;
      this.#leaving = false;
      void this.#warnOfSettings();
    });
  }

  /** Whether a command would be sent now. */
  get isReady(): boolean {
    return this.#client.status === 'ready' && !this.#leaving;
  }

  /**
   * Waits until Redis takes commands, at most the connect timeout.
   *
   * @throws GridError `redis-unavailable`, or `redis-refused` when it does not let us in.
   */
  async whenReady(): Promise<void> {
    if (this.isReady) return;
    const client = this.#client;
    const ready = await new Promise<boolean>((resolve) => {
      const settle = (outcome: boolean) => {
        clearTimeout(timer);
        client.off('ready', onReady);
        client.off('end', onEnd);
        resolve(outcome);
      };
      const onReady = () => {
        settle(true);
      };
      const onEnd = () => {
        settle(false);
      };
      const timer = setTimeout(settle, this.#connectTimeoutMs, false);
      client.on('ready', onReady);
      client.on('end', onEnd);
    });
    if (ready) return;
    const problem = this.#connectionProblem ?? new Error(`no connection within ${this.#connectTimeoutMs} ms`);
    throw redisFailure(problem, `Connecting to ${this.#address}`);
  }

  /** Sends one command. `attempt` says what for; it begins the message of a failure. */
  async call(command: string, args: readonly RedisArgument[], attempt: string): Promise<unknown> {
    try {
      return await this.#client.call(command, [...args]);
    } catch (error) {
      throw this.#failure(error, attempt);
    }
  }

  /** Runs a script; one that Redis does not know (yet, or after a restart) is sent along. */
  async run(
    script: RedisScript,
    keys: readonly RedisArgument[],
    args: readonly RedisArgument[],
    attempt: string,
  ): Promise<unknown> {
    const rest: RedisArgument[] = [keys.length, ...keys, ...args];
    try {
      try {
        return await this.#client.call('EVALSHA', [script.sha, ...rest]);
      } catch (error) {
        // Said before anything was run, so it can be repeated safely.
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return await this.#client.call('EVAL', [script.source, ...rest]);
      }
    } catch (error) {
      throw this.#failure(error, attempt);
    }
  }

  /** Lets go of the connection; what is under way is rejected. */
  close(): Promise<void> {
    this.#client.disconnect();
    return Promise.resolve();
  }

  #failure(error: unknown, attempt: string): GridError {
    if (error instanceof Error && error.message === 'Command timed out' && this.isReady) {
      // ioredis keeps waiting for the late reply; a server that hangs would gather commands. A new connection forgets them.
      this.#leaving = true;
      this.#client.disconnect(true);
    }
    return redisFailure(error, `${attempt} (${this.#address})`, this.#connectionProblem);
  }

  async #warnOfSettings(): Promise<void> {
    try {
      const info = await this.#client.info();
      for (const warning of durabilityWarnings(info)) this.#logger.warn(warning);
    } catch (error) {
      this.#logger.debug({ err: error }, 'the settings of Redis could not be read');
    }
  }
}
