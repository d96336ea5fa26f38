import type sql from 'mssql';
import { GridError } from '../../grid/errors.ts';
import { abortionOf } from '../../runtime/waiting/abortion.ts';
import { sqlServerFailure } from './failure.ts';
import type { RowTaker } from './wire-reply.ts';
import type { WireRow } from './wire-row.ts';

/** How long a statement may go without any sign from the server: huge sorts and scans say nothing until they are done. */
const SILENCE_LIMIT_MS = 15 * 60_000;
const WATCH_MS = 10_000;
/** How long the driver waits for the acknowledgement of a cancel before it gives the connection up. */
export const CANCEL_LIMIT_MS = 3_000;

export interface StatementOptions {
  /** What is being done, on what; it begins the message of a failure. */
  readonly attempt: string;
  readonly signal: AbortSignal;
  /** Takes a row, which holds until it returns. When it returns a promise, no further row comes until that has resolved. */
  readonly onRow: (row: WireRow) => void | Promise<void>;
}

type State =
  | { readonly name: 'running' }
  /** It was told to end: by its caller, by a row that could not be handed on, or for silence. */
  | { readonly name: 'stopping'; readonly reason: unknown }
  | { readonly name: 'ended' };

const TRANSITIONS: Readonly<Record<State['name'], readonly State['name'][]>> = {
  running: ['stopping', 'ended'],
  stopping: ['ended'],
  ended: [],
};

/**
 * One statement on a connection, from its sending to the end of its reply.
 *
 * `running` → `stopping` → `ended`, or `running` → `ended`. Only a running statement hands rows on; one that is stopping has
 * been cancelled at the server, and ends with the acknowledgement, or with the connection when none comes in time.
 */
export class Statement implements RowTaker {
  readonly #request: sql.Request;
  readonly #options: StatementOptions;
  /** Closes the connection. */
  readonly #abandon: () => void;
  readonly #stopping = new AbortController();
  #settle: { resolve(rows: number): void; reject(error: Error): void } | undefined;
  #state: State = { name: 'running' };
  #sentRows = 0;
  #driverError: unknown;
  #handing = false;
  #signs = 0;
  #giveUp: NodeJS.Timeout | undefined;

  constructor(request: sql.Request, options: StatementOptions, abandon: () => void) {
    this.#request = request;
    this.#options = options;
    this.#abandon = abandon;
  }

  /**
   * Sends it, and hands its rows on as they come. Once, and only once.
   *
   * @returns rows that the server says it has sent
   * @throws GridError by {@link sqlServerFailure}; the reason of `signal`; whatever `onRow` rejects with
   */
  async run(text: string): Promise<number> {
    const request = this.#request;
    const { signal } = this.#options;
    const onAbort = (): void => {
      this.#stop(signal.reason);
    };
    const watch = this.#watchSilence();
    const ended = new Promise<number>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Rows are taken out of the reply before the driver sees them; with this it gathers nothing either.
    request.stream = true;
    request.on('rowsaffected', (count: number) => (this.#sentRows += count));
    request.on('error', (error: unknown) => (this.#driverError ??= error));
    request.on('done', () => {
      this.#end();
    });
    signal.addEventListener('abort', onAbort, { once: true });
    // In stream mode everything comes as events; the promise says nothing that they have not said.
    request.batch(text).then(undefined, (error: unknown) => {
      this.#driverError ??= error;
      this.#end();
    });
    try {
      return await ended;
    } finally {
      clearInterval(watch);
      clearTimeout(this.#giveUp);
      signal.removeEventListener('abort', onAbort);
    }
  }

  onBytes(): void {
    this.#signs++;
  }

  onRow(row: WireRow): Promise<void> | undefined {
    if (this.#state.name !== 'running') return undefined;
    try {
      const handed = this.#options.onRow(row);
      return handed === undefined ? undefined : this.#handOn(handed);
    } catch (error) {
      this.#stop(error);
      return undefined;
    }
  }

  /** Waits until a row is handed on, or nobody wants it any more. */
  async #handOn(handed: Promise<void>): Promise<void> {
    this.#handing = true;
    const stopped = abortionOf(this.#stopping.signal);
    try {
      await Promise.race([handed, stopped.happened]);
    } catch (error) {
      this.#stop(error);
    } finally {
      stopped.forget();
      this.#handing = false;
    }
  }

  #watchSilence(): NodeJS.Timeout {
    // Counted rather than timed: a clock reading for each packet is for nothing.
    let signsSeen = 0;
    let silentMs = 0;
    return setInterval(() => {
      // A row that is being handed on is no silence of the server.
      silentMs = this.#signs === signsSeen && !this.#handing ? silentMs + WATCH_MS : 0;
      signsSeen = this.#signs;
      if (silentMs < SILENCE_LIMIT_MS) return;
      const seconds = SILENCE_LIMIT_MS / 1_000;
      const { attempt } = this.#options;
      this.#stop(
        new GridError('source-unavailable', `${attempt}: no sign of the server for ${seconds} s. It is tried again.`),
      );
    }, WATCH_MS);
  }

  /** Cancels it at the server; of several reasons the first counts. */
  #stop(reason: unknown): void {
    if (this.#state.name !== 'running') return;
    this.#become({ name: 'stopping', reason });
    this.#stopping.abort();
    this.#request.cancel();
    this.#giveUp = setTimeout(() => {
      this.#abandon();
      this.#end();
    }, CANCEL_LIMIT_MS + 500);
  }

  #end(): void {
    const before = this.#state;
    // The driver may tell of an end twice, and closing a connection tells of one too.
    if (before.name === 'ended') return;
    this.#become({ name: 'ended' });
    this.#stopping.abort();
    if (before.name === 'stopping') this.#settle?.reject(asError(before.reason));
    else if (this.#driverError !== undefined)
      this.#settle?.reject(sqlServerFailure(this.#driverError, this.#options.attempt));
    else this.#settle?.resolve(this.#sentRows);
  }

  #become(state: State): void {
    if (!TRANSITIONS[this.#state.name].includes(state.name)) {
      throw new GridError(
        'defect',
        `${this.#options.attempt}: a statement that is ${this.#state.name} cannot be ${state.name}.`,
      );
    }
    this.#state = state;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
