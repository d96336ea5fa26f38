import type { Socket } from 'node:net';
import type { Client, CustomTypesConfig, FieldDef, QueryConfig, QueryResult } from 'pg';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { abortionOf } from '../../../runtime/waiting/abortion.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import { addressOf, connectAttempts } from './address.ts';
import { CopyOut } from './copy-out.ts';
import { requestCancel, type BackendKey } from './cancel-request.ts';
import { isTlsFailure, postgresFailure, sqlState } from './failure.ts';
import { logIn } from './log-in.ts';
import { OPTIONAL_SETUP, SESSION_SETUP, TRANSACTION_SETUP } from './settings.ts';
import { SilenceWatch, type Vitality } from './silence-watch.ts';
import { vitalityOf } from './vitality.ts';

export interface PostgresSettings {
  /** `postgres://` or `postgresql://`, with `sslmode` and the like as libpq takes them. */
  readonly url: string;
  /** Longest wait for a connection, and for replies that take a healthy server no time, milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a server may be silent until it is asked, by another connection, whether it still works, milliseconds. */
  readonly silenceMs: number;
  readonly applicationName: string;
  readonly logger: Logger;
}

/** What is being done, for messages, and what ends it early. */
export interface Task {
  readonly attempt: string;
  readonly signal: AbortSignal;
  /**
   * Time limit for what takes a healthy server no time, milliseconds. Without one it may take as long as the server shows
   * that it works on it.
   */
  readonly limitMs?: number;
}

/** A row as text; NULL is null. */
export type TextRow = Readonly<Record<string, string | null>>;

/** How long a cancelled query may take to end before its connection is cut, milliseconds. */
const CANCEL_GRACE_MS = 2_000;

/**
 * One session at PostgreSQL. Every wait for the server ends: by its reply, by the loss of the connection, by abortion
 * (the query is cancelled at the server first), by a time limit, or when a server that is silent turns out to be dead.
 * One call at a time.
 *
 * A pooler in between (PgBouncer and the like) shows by its own key: it lends each transaction a session that is others' as well. Then
 * nothing is set for longer than a transaction ({@link setUpTransaction}), and cancellations go by the pooler's key.
 *
 * States: `open` → `lost` (the connection broke, or was cut since the server hung or did not heed a cancellation) → `closed`;
 * `open` → `closed`. In `lost` every call fails with `source-unavailable`.
 */
export class PostgresSession {
  readonly address: string;
  readonly #settings: PostgresSettings;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #key: BackendKey;
  #isPooled = false;
  /** The process that serves the session, or the transaction; unknown between transactions of a pooler. */
  #processId: number | undefined;
  #lost: Error | undefined;
  #closed = false;

  private constructor(settings: PostgresSettings, client: Client, socket: Socket, key: BackendKey) {
    this.address = addressOf(settings.url);
    this.#settings = settings;
    this.#client = client;
    this.#socket = socket;
    this.#key = key;
    client.on('error', (error) => {
      this.#lost ??= error;
    });
    client.on('end', () => {
      this.#lost ??= new Error('Connection terminated');
    });
  }

  /** @throws GridError `source-unavailable`, `source-denied`, `source-tls-refused`; the signal's reason when aborted. */
  static async open(settings: PostgresSettings, signal: AbortSignal): Promise<PostgresSession> {
    const connection = await PostgresSession.#logIn(settings, signal);
    try {
      return await connection.#setUp(signal);
    } catch (error) {
      signal.throwIfAborted();
      throw postgresFailure(error, `Connecting to ${connection.address}`);
    }
  }

  static async #logIn(settings: PostgresSettings, signal: AbortSignal): Promise<PostgresSession> {
    const attempts = connectAttempts(settings.url);
    const attempt = `Connecting to ${addressOf(settings.url)}`;
    for (const [index, { url, tls }] of attempts.entries()) {
      try {
        const { client, socket, key } = await logIn({ ...settings, url }, signal);
        return new PostgresSession(settings, client, socket, key);
      } catch (error) {
        signal.throwIfAborted();
        const isLast = index === attempts.length - 1;
        // As libpq does: without TLS where it cannot be had, with TLS where the server insists on it.
        if (!isLast && (tls ? isTlsFailure(error) || sqlState(error) === '28000' : sqlState(error) === '28000'))
          continue;
        throw postgresFailure(error, attempt);
      }
    }
    throw new GridError('defect', `${attempt}: there was no way to try.`);
  }

  /** Whether the connection is known to be gone; what it was told by. */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** Whether a pooler stands in between. */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  /** To be called in each transaction, when its snapshot is there: sets what a session behind a pooler is not set to. */
  async setUpTransaction(task: Task): Promise<void> {
    if (!this.#isPooled) return;
    const { process_id } = await this.row(PROCESS, TRANSACTION_SETUP, task);
    this.#processId = process_id;
  }

  /** Runs a statement and checks the rows that it gives. */
  async rows<Row>(schema: z.ZodType<Row>, text: string, task: Task, values: readonly unknown[] = []): Promise<Row[]> {
    const results = await this.#query(text, values, task);
    return (results.at(-1)?.rows ?? []).map((row) => {
      const parsed = schema.safeParse(row);
      if (parsed.success) return parsed.data;
      const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
      throw new GridError(
        'source-refused',
        `${task.attempt}: PostgreSQL gave ${JSON.stringify(row).slice(0, 300)}, which is not understood: ${problems}. Is this version of the server supported?`,
      );
    });
  }

  /** As `rows`, for a statement that gives exactly one; of several statements without parameters, the last. */
  async row<Row>(schema: z.ZodType<Row>, text: string, task: Task, values: readonly unknown[] = []): Promise<Row> {
    const [row] = await this.rows(schema, text, task, values);
    if (row === undefined) throw new GridError('source-refused', `${task.attempt}: PostgreSQL answered with no row.`);
    return row;
  }

  /** Runs several statements in one go; the first row of each that gives any. */
  async firstRows(text: string, task: Task): Promise<readonly TextRow[]> {
    const results = await this.#query(text, [], task);
    return results.flatMap(({ rows: [first] }) => (first === undefined ? [] : [first]));
  }

  /** Runs statements for their effect. */
  async run(text: string, task: Task): Promise<void> {
    await this.#query(text, [], task);
  }

  /** The columns that a statement would give, as the server describes them now, whatever the snapshot. */
  async describe(text: string, task: Task): Promise<readonly FieldDef[]> {
    return (await this.#query(text, [], task)).at(-1)?.fields ?? [];
  }

  /**
   * Runs a `COPY … TO STDOUT` and hands on its bytes as they arrive, in pieces of any length; the next one comes when
   * `consume` is done. When `consume` fails, the statement is cancelled and its error passed on.
   */
  async copyOut(text: string, consume: (piece: Buffer) => Promise<void> | undefined, task: Task): Promise<void> {
    const { signal } = task;
    const abortion = abortionOf(signal);
    const failures: unknown[] = [];
    let consuming = false;
    let severance: NodeJS.Timeout | undefined;
    const giveUp = (error: unknown): void => {
      failures.push(error);
      // What is still under way is read to its end, so that the session stays usable.
      void this.#cancel();
      severance = setTimeout(() => {
        this.#sever('it did not end a query that was cancelled');
      }, CANCEL_GRACE_MS);
    };
    const receive = (piece: Buffer): Promise<void> | undefined => {
      if (failures.length > 0 || signal.aborted) return undefined;
      try {
        const consumed = consume(piece);
        if (consumed === undefined) return undefined;
        consuming = true;
        return Promise.race([consumed, abortion.happened]).then(
          () => {
            consuming = false;
          },
          (error: unknown) => {
            consuming = false;
            giveUp(error);
          },
        );
      } catch (error) {
        giveUp(error);
        return undefined;
      }
    };
    const copy = (): Promise<void> => this.#client.query(new CopyOut(text, receive)).ended;
    try {
      await this.#bounded(copy, task, () => consuming);
    } catch (error) {
      signal.throwIfAborted();
      if (failures.length === 0) throw error;
    } finally {
      clearTimeout(severance);
      abortion.forget();
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Ends the session; never throws. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#lost === undefined) {
      const timer = setTimeout(() => this.#socket.destroy(), CANCEL_GRACE_MS);
      await this.#client.end().catch(() => undefined);
      clearTimeout(timer);
    }
    this.#socket.destroy();
  }

  async #query(text: string, values: readonly unknown[], task: Task): Promise<readonly QueryResult<TextRow>[]> {
    return this.#bounded(async () => {
      const config: QueryConfig<unknown[]> = { text, types: AS_TEXT };
      if (values.length > 0) config.values = [...values];
      // Several statements give several results.
      const result: QueryResult<TextRow> | QueryResult<TextRow>[] = await this.#client.query<TextRow>(config);
      return 'rows' in result ? [result] : result;
    }, task);
  }

  /** Does `work` with this connection, and ends whatever happens. */
  async #bounded<T>(work: () => Promise<T>, task: Task, waitsForUs: () => boolean = () => false): Promise<T> {
    const { attempt, signal, limitMs } = task;
    signal.throwIfAborted();
    const where = `${attempt} (${this.address})`;
    if (this.#closed) throw new GridError('defect', `${where}: the connection was closed before.`);
    if (this.#lost !== undefined) throw postgresFailure(this.#lost, where);
    const abortion = abortionOf(signal);
    const watch = new SilenceWatch({
      silenceMs: this.#settings.silenceMs,
      progress: () => this.#socket.bytesRead,
      waitsForUs,
      ask: () => this.#vitality(),
    });
    try {
      const done = work();
      const settled = done.then(
        () => SETTLED,
        () => SETTLED,
      );
      const end = Promise.race([
        settled,
        abortion.happened.then(() => ({ kind: 'aborted' as const })),
        watch.dead.then((reason) => ({ kind: 'dead' as const, reason })),
      ]);
      const first = limitMs === undefined ? await end : await withinLimit(end, limitMs);
      if (first.kind === 'dead') this.#sever(first.reason);
      if (first.kind === 'aborted') await this.#cancelAndWait(settled);
      signal.throwIfAborted();
      return await done;
    } catch (error) {
      signal.throwIfAborted();
      const { lost } = this;
      if (lost !== undefined && sqlState(error) === undefined) throw postgresFailure(lost, where);
      throw postgresFailure(error, where);
    } finally {
      watch.stop();
      abortion.forget();
    }
  }

  async #cancelAndWait(settled: Promise<unknown>): Promise<void> {
    void this.#cancel();
    if ((await orLate(CANCEL_GRACE_MS, settled)).late) this.#sever('it did not end a query that was cancelled');
  }

  #cancel(): Promise<void> {
    return requestCancel({ host: this.#client.host, port: this.#client.port }, this.#key, CANCEL_GRACE_MS);
  }

  /** Breaks the connection off; whatever waits for it fails. */
  #sever(reason: string): void {
    this.#lost ??= new Error(`Connection terminated: ${reason}`);
    this.#socket.destroy(this.#lost);
  }

  #vitality(): Promise<Vitality> {
    return vitalityOf({
      logIn: (signal) => PostgresSession.#logIn(this.#settings, signal),
      limitMs: this.#settings.connectTimeoutMs,
      processId: this.#processId,
      isPooled: this.#isPooled,
    });
  }

  async #setUp(signal: AbortSignal): Promise<this> {
    const task = {
      attempt: 'Setting the session up',
      signal,
      limitMs: this.#settings.connectTimeoutMs,
    };
    try {
      const { process_id } = await this.row(PROCESS, 'SELECT pg_catalog.pg_backend_pid()::text AS process_id', task);
      this.#isPooled = process_id !== this.#key.processId;
      if (this.#isPooled) return this;
      this.#processId = process_id;
      await this.run(SESSION_SETUP, task);
      for (const statement of OPTIONAL_SETUP) {
        await this.run(statement, task).catch((error: unknown) => {
          if (this.#lost !== undefined || signal.aborted) throw error;
        });
      }
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }
}

const SETTLED = { kind: 'settled' } as const;

async function withinLimit<T>(end: Promise<T>, limitMs: number): Promise<T | { kind: 'dead'; reason: string }> {
  const first = await orLate(limitMs, end);
  return first.late ? { kind: 'dead', reason: `it gave no answer within ${limitMs} ms` } : first.value;
}

const PROCESS = z.object({ process_id: z.string().transform(Number) });

/** Values stay the text that the server sent. */
const AS_TEXT: CustomTypesConfig = { getTypeParser: () => (text: string) => text };
