import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { PostgresSource, type PostgresSourceOptions } from '../../connectors/postgres/source.ts';
import type { PlanOptions, SnapshotReader, SplitDigest, TablePlan } from '../../grid/history/sql-source.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { eventually } from '../support/eventually.ts';

/** A signal that is never aborted. */
export const never = new AbortController().signal;

export const FULL: PlanOptions = { splitRows: 1_000, onUnsupported: 'refuse' };

/** A database of the test's own at the stack's PostgreSQL, a session in it, and sources that read it. */
export interface SourceBed {
  readonly database: string;
  readonly url: URL;
  readonly admin: Client;
  readonly source: PostgresSource;
  /** Runs statements in the admin's session; the rows of the last one, as lists of text. */
  sql(text: string): Promise<(string | null)[][]>;
  /** Another session. */
  session(): Promise<Client>;
  sourceWith(options: Partial<PostgresSourceOptions>): PostgresSource;
  /** A reader at a snapshot of its own, closed at the end of the test file. */
  reader(source?: PostgresSource): Promise<SnapshotReader>;
  end(): Promise<void>;
}

export async function openSourceBed(): Promise<SourceBed> {
  const base = new URL(loadConfig().HISTORY_POSTGRES_URL);
  const database = `test_postgres_${randomUUID().slice(0, 8)}`;
  const maintenance = new Client({ connectionString: base.toString() });
  await maintenance.connect();
  await maintenance.query(`CREATE DATABASE ${database}`);
  const url = new URL(base);
  url.pathname = `/${database}`;
  const clients: Client[] = [];
  const sources: PostgresSource[] = [];
  const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
  const session = async (): Promise<Client> => {
    const client = new Client({ connectionString: url.toString() });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  };
  const sourceWith = (options: Partial<PostgresSourceOptions>): PostgresSource => {
    const source = new PostgresSource({ url: url.toString(), connectTimeoutMs: 5_000, logger, ...options });
    sources.push(source);
    return source;
  };
  const admin = await session();
  const source = sourceWith({});
  return {
    database,
    url,
    admin,
    source,
    session,
    sourceWith,
    sql: (text) => rowsOf(admin, text),
    reader: (from = source) => from.read(undefined, never),
    async end() {
      await Promise.all(sources.map((opened) => opened.close()));
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
      await maintenance.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await maintenance.end();
    },
  };
}

/** Runs statements; the rows of the last one, as lists of text. */
export async function rowsOf(client: Client, text: string): Promise<(string | null)[][]> {
  const result: unknown = await client.query({
    text,
    rowMode: 'array',
    types: { getTypeParser: () => (value: string) => value },
  });
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  return (last as { rows: (string | null)[][] }).rows;
}

/** All lines of a plan, split by split, and what each split was. */
export async function copyAll(
  reader: SnapshotReader,
  plan: TablePlan,
): Promise<{ readonly text: string; readonly lines: string[]; readonly splits: readonly SplitDigest[] }> {
  const chunks: Buffer[] = [];
  const splits: SplitDigest[] = [];
  for (let split = 0; split < plan.splits.length; split++) {
    const before = chunks.reduce((bytes, chunk) => bytes + chunk.length, 0);
    const { rows, digest, textBytes } = await reader.copy(
      plan,
      split,
      (chunk) => {
        chunks.push(Buffer.from(chunk));
        return Promise.resolve();
      },
      { verify: true, signal: never },
    );
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) - before;
    if (bytes !== textBytes) throw new Error(`split ${split}: ${bytes} bytes arrived, ${textBytes} were told of`);
    splits.push({ rows, digest });
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { text, lines: text === '' ? [] : text.replace(/\n$/, '').split('\n'), splits };
}

/** Waits until nothing of an application runs at the server any more. */
export function untilGone(bed: SourceBed, applicationName: string): Promise<boolean> {
  return eventually(
    `${applicationName} is gone from pg_stat_activity`,
    async () => {
      const [row] = await bed.sql(
        `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${applicationName}' AND state = 'active'`,
      );
      return row?.[0] === '0';
    },
    undefined,
    50,
  );
}
