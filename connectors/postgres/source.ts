import type {
  HeldSnapshot,
  SnapshotReader,
  SourceIdentity,
  SourceSnapshot,
  SqlSource,
  TableId,
} from '../../grid/history/sql-source.ts';
import type { Logger } from '../../runtime/logger.ts';
import { listTables } from './catalogue/catalogue.ts';
import { PostgresSession, type PostgresSettings, type Task } from './session/session.ts';
import { HeldPostgresSnapshot } from './snapshot/held-snapshot.ts';
import { PostgresReader } from './read/reader.ts';
import { aboutServer } from './catalogue/server-facts.ts';

export interface PostgresSourceOptions {
  /** `postgres://` or `postgresql://`, with `sslmode` and the like as libpq takes them. */
  readonly url: string;
  /** Longest wait for a connection, and for replies that take a healthy server no time, milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a server may be silent until it is asked, by another connection, whether it still works, milliseconds; default 10,000. */
  readonly silenceMs?: number;
  /** Shown in `pg_stat_activity`; default `powergrid-import`. */
  readonly applicationName?: string;
  readonly logger: Logger;
}

/** A PostgreSQL database with history, version 14 or later; a standby as well. It is only read. */
export class PostgresSource implements SqlSource {
  readonly name = 'postgres';
  readonly #settings: PostgresSettings;
  readonly #open = new Set<() => Promise<void>>();

  constructor({ url, connectTimeoutMs, silenceMs, applicationName, logger }: PostgresSourceOptions) {
    this.#settings = {
      url,
      connectTimeoutMs,
      silenceMs: silenceMs ?? 10_000,
      applicationName: applicationName ?? 'powergrid-import',
      logger,
    };
  }

  identify(signal: AbortSignal): Promise<SourceIdentity> {
    return this.#briefly('Asking the server what it is', signal, async (connection, task) => {
      const { identity } = await aboutServer(connection, task);
      return identity;
    });
  }

  tables(signal: AbortSignal): Promise<readonly (TableId & { readonly readable: boolean })[]> {
    return this.#briefly('Listing the tables', signal, listTables);
  }

  async hold(signal: AbortSignal): Promise<HeldSnapshot> {
    const held = await HeldPostgresSnapshot.take(this.#settings, signal);
    const release = this.#closing(() => held.release());
    return { snapshot: held.snapshot, check: (checked) => held.check(checked), release };
  }

  async read(snapshot: SourceSnapshot | undefined, signal: AbortSignal): Promise<SnapshotReader> {
    const reader = await PostgresReader.open(this.#settings, snapshot, signal);
    const close = this.#closing(() => reader.close());
    return {
      snapshot: reader.snapshot,
      plan: reader.plan.bind(reader),
      count: reader.count.bind(reader),
      copy: reader.copy.bind(reader),
      digest: reader.digest.bind(reader),
      highest: reader.highest.bind(reader),
      close,
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((end) => end()));
  }

  async #briefly<T>(
    attempt: string,
    signal: AbortSignal,
    work: (connection: PostgresSession, task: Task) => Promise<T>,
  ): Promise<T> {
    const connection = await PostgresSession.open(this.#settings, signal);
    try {
      return await work(connection, { attempt, signal });
    } finally {
      await connection.close();
    }
  }

  /** `end`, which is called when the source is closed, if it was not before. */
  #closing(end: () => Promise<void>): () => Promise<void> {
    const once = async (): Promise<void> => {
      if (this.#open.delete(once)) await end();
    };
    this.#open.add(once);
    return once;
  }
}
