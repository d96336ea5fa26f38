import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import type {
  HeldSnapshot,
  SnapshotReader,
  SourceIdentity,
  SourceSnapshot,
  SqlSource,
  TableId,
} from '../../grid/history/sql-source.ts';
import type { Logger } from '../../runtime/logger.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import { serverAddress, type ServerAddress } from './address.ts';
import { catalogueRows, READABLE_TABLES, TABLES } from './catalogue.ts';
import { POSITION } from './changes.ts';
import { SqlServerReader } from './reader.ts';
import { POSITION_NOW, serverFacts, type ServerFacts } from './server-facts.ts';
import { Session } from './session.ts';
import { tableReference } from './sql-text.ts';
import { isoWithOffset } from './text-expressions.ts';

export interface SqlServerSourceOptions {
  /** HISTORY_MSSQL_URL; see {@link serverAddress} for its forms. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  readonly logger: Logger;
}

/** Attempts to take a snapshot while no transaction is halfway through writing rowversions. */
const QUIET_ATTEMPTS = 10;
const QUIET_WAIT_MS = 100;

const CLOCK = `SELECT ${isoWithOffset('SYSDATETIMEOFFSET()')}`;

/**
 * History in a SQL Server database. Its snapshots cannot be shared between connections: each reader has its own, a SNAPSHOT
 * transaction where the database allows it.
 */
export class SqlServerSource implements SqlSource {
  readonly name = 'sqlserver';
  readonly #address: ServerAddress;
  readonly #options: SqlServerSourceOptions;
  /** All that are open, readers' too: whoever closes the source closes them. */
  readonly #sessions = new Set<Session>();
  #facts: ServerFacts | undefined;

  /** @throws GridError `invalid-configuration` */
  constructor(options: SqlServerSourceOptions) {
    this.#address = serverAddress(options.url);
    this.#options = options;
  }

  async identify(signal: AbortSignal): Promise<SourceIdentity> {
    this.#facts = undefined;
    return this.#withSession(signal, async (session) => {
      const facts = await this.#factsOver(session, signal);
      return {
        product: facts.product,
        database: facts.database,
        fingerprint: facts.fingerprint,
        sharedSnapshots: false,
        consistency: facts.isolation === 'snapshot' ? 'table' : 'none',
        notes: facts.notes,
      };
    });
  }

  tables(signal: AbortSignal): Promise<readonly (TableId & { readonly readable: boolean })[]> {
    return this.#withSession(signal, (session) => this.#tablesOver(session, signal));
  }

  hold(): Promise<HeldSnapshot> {
    return Promise.reject(
      new GridError(
        'unsupported-server',
        'Holding a snapshot of SQL Server for other connections: it has no such snapshots. Read each table through one connection.',
      ),
    );
  }

  /** Opens a reader at a snapshot of its own; the one that is asked for says nothing to SQL Server. */
  async read(_snapshot: SourceSnapshot | undefined, signal: AbortSignal): Promise<SnapshotReader> {
    const session = await this.#open(signal);
    try {
      const facts = await this.#factsOver(session, signal);
      for (const setting of facts.sessionSettings) {
        await session.query(setting, `Preparing a connection to SQL Server at ${this.#address.shown}`, signal);
      }
      const snapshot = await this.#takeSnapshot(session, facts, signal);
      return new SqlServerReader(session, facts, snapshot);
    } catch (error) {
      await session.close();
      // Whether snapshots are allowed may have changed since it was asked.
      this.#facts = undefined;
      throw error;
    }
  }

  /** Closes all its connections, those of readers that are still open included. */
  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    this.#sessions.clear();
  }

  /**
   * Begins the reader's transaction and fixes its snapshot, which SQL Server does at the first row that is read, not at BEGIN.
   * The position is taken before that, so that every change below it is in the snapshot. What was committed above it already
   * is in the snapshot too, and would count as new in the next import; so a moment is looked for when nothing is.
   */
  async #takeSnapshot(session: Session, facts: ServerFacts, signal: AbortSignal): Promise<SourceSnapshot> {
    const attempt = `Beginning to read from SQL Server at ${this.#address.shown}`;
    const touch = facts.isolation === 'snapshot' ? await this.#touchStatement(session, signal) : undefined;
    for (let tried = 1; ; tried++) {
      const position = facts.rowversions ? await positions(session, attempt, signal) : undefined;
      await session.begin(facts.isolation, attempt, signal);
      if (touch !== undefined) await session.query(touch, attempt, signal);
      const after = position === undefined ? undefined : await positions(session, attempt, signal);
      const quiet =
        position === undefined || after === undefined || BigInt(position.minActive) === BigInt(after.lastUsed) + 1n;
      if (quiet || tried >= QUIET_ATTEMPTS || !facts.rowversionsUsed || facts.isolation !== 'snapshot') {
        const takenAt = (await session.query(CLOCK, attempt, signal))[0]?.[0];
        return {
          // Tells this reader's snapshot from another's of the same position; it opens nothing.
          id: randomUUID(),
          position: position?.minActive ?? '',
          takenAt: typeof takenAt === 'string' ? takenAt : new Date().toISOString(),
        };
      }
      await session.rollback(attempt, signal);
      await pause(QUIET_WAIT_MS, signal);
      signal.throwIfAborted();
    }
  }

  /** A statement that reads a row, of any table that may be read. */
  async #touchStatement(session: Session, signal: AbortSignal): Promise<string | undefined> {
    const table = (await this.#tablesOver(session, signal)).find(({ readable }) => readable);
    return table === undefined ? undefined : `SELECT TOP (1) '1' FROM ${tableReference(table)}`;
  }

  async #tablesOver(session: Session, signal: AbortSignal): Promise<(TableId & { readonly readable: boolean })[]> {
    const attempt = `Listing the tables of SQL Server at ${this.#address.shown}`;
    const id = [z.string(), z.string()] as const;
    let tables: (TableId & { readonly readable: boolean })[];
    try {
      const rows = await session.query(READABLE_TABLES, attempt, signal);
      tables = catalogueRows(z.tuple([...id, z.string().nullable()]), rows, 'tables').map(
        ([schema, name, readable]) => ({
          schema,
          name,
          readable: readable === '1',
        }),
      );
    } catch (error) {
      if (!(error instanceof GridError) || error.retryable || session.closed) throw error;
      // A server without HAS_PERMS_BY_NAME shows only what may be read, or says so when it is read.
      const rows = await session.query(TABLES, attempt, signal);
      tables = catalogueRows(z.tuple([...id]), rows, 'tables').map(([schema, name]) => ({
        schema,
        name,
        readable: true,
      }));
    }
    return tables.sort((a, b) => compare(a.schema, b.schema) || compare(a.name, b.name));
  }

  async #factsOver(session: Session, signal: AbortSignal): Promise<ServerFacts> {
    this.#facts ??= await serverFacts(session, this.#address.shown, signal);
    return this.#facts;
  }

  async #withSession<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#open(signal);
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const { connectTimeoutMs, logger } = this.#options;
    const session = await Session.open({ address: this.#address, connectTimeoutMs, logger }, signal);
    for (const other of this.#sessions) if (other.closed) this.#sessions.delete(other);
    this.#sessions.add(session);
    return session;
  }
}

/** The lowest rowversion that a running transaction may still commit, and the highest that was ever given. */
async function positions(
  session: Session,
  attempt: string,
  signal: AbortSignal,
): Promise<{ readonly minActive: string; readonly lastUsed: string }> {
  const hexadecimal = z.string().regex(POSITION);
  const rows = await session.query(POSITION_NOW, attempt, signal);
  const [found] = catalogueRows(z.tuple([hexadecimal, hexadecimal]), rows, 'rowversions');
  if (found === undefined) throw new GridError('unsupported-server', `${attempt}: the server tells no rowversion.`);
  return { minActive: found[0], lastUsed: found[1] };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
