import { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import type { SourceIdentity } from '../../grid/history/sql-source.ts';
import type { PostgresConnection, Task } from './connection.ts';

const SERVER = z.object({
  version: z.string(),
  version_number: z.string().transform(Number),
  database: z.string(),
  database_oid: z.string(),
  encoding: z.string(),
  recovering: z.enum(['t', 'f']),
  timeline: z.string(),
  money_digits: z.string().transform(Number),
  block_size: z.string().transform(Number),
});
const ANSWER = z.object({ answer: z.string() });

export interface PostgresServer {
  readonly identity: SourceIdentity;
  /** Fraction digits of the type `money`. */
  readonly moneyDigits: number;
  /** Bytes. */
  readonly pageBytes: number;
}

/** Ranges of TIDs are read as such since 14. */
const OLDEST_MAJOR_VERSION = 14;

/**
 * The timeline is part of what positions mean: after a restore to a point in time, or a failover that lost transactions,
 * transaction numbers are given out a second time.
 */
const ABOUT = `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS version_number,
  current_database() AS database, (SELECT oid::text FROM pg_database WHERE datname = current_database()) AS database_oid,
  current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS recovering,
  CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline,
  scale(0::money::numeric)::text AS money_digits, current_setting('block_size') AS block_size`;

/** @throws GridError `unsupported-server` */
export async function aboutServer(connection: PostgresConnection, task: Task): Promise<PostgresServer> {
  const { version_number } = await connection.row(
    z.object({ version_number: z.string().transform(Number) }),
    `SELECT current_setting('server_version_num') AS version_number`,
    task,
  );
  if (version_number < OLDEST_MAJOR_VERSION * 10_000) {
    throw new GridError(
      'unsupported-server',
      `${task.attempt} (${connection.address}): it is PostgreSQL ${Math.floor(version_number / 10_000)}; ${OLDEST_MAJOR_VERSION} or later is needed. Upgrade it, or import from a replica that is newer.`,
    );
  }
  const server = await connection.row(SERVER, ABOUT, task);
  const system = await answerIfAllowed(connection, SYSTEM_IDENTIFIER, task);
  const timeline =
    server.recovering === 't' ? await answerIfAllowed(connection, TIMELINE_OF_STANDBY, task) : server.timeline;
  const notes: string[] = [];
  if (connection.isPooled) {
    notes.push(
      'The source is reached through a connection pooler: each connection of an import keeps one of its sessions for as long as it reads, so its pool must have more than maxConnections of them. A direct connection serves better.',
    );
  }
  if (server.recovering === 't') {
    notes.push(
      'The source is a standby: rows of transactions that ran when its snapshot was taken, or began since the oldest of them, are read again by the next incremental import. Long reads may be cancelled by replication: set hot_standby_feedback or max_standby_streaming_delay there.',
    );
  }
  if (server.encoding === 'SQL_ASCII') {
    notes.push('The database has no encoding (SQL_ASCII): text that is not valid UTF-8 stops the import of its table.');
  }
  return {
    moneyDigits: server.money_digits,
    pageBytes: server.block_size,
    identity: {
      product: `PostgreSQL ${server.version.split(' ')[0] ?? ''}`,
      database: server.database,
      fingerprint: ['postgres', system, server.database_oid, timeline].join(':'),
      sharedSnapshots: true,
      consistency: 'database',
      notes,
    },
  };
}

/** Made when the cluster was created, and kept by physical copies of it. */
const SYSTEM_IDENTIFIER = 'SELECT system_identifier::text AS answer FROM pg_control_system()';
const TIMELINE_OF_STANDBY = `SELECT upper(lpad(to_hex(timeline_id), 8, '0')) AS answer FROM pg_control_checkpoint()`;

/** The server's answer; `unknown` where hosted servers forbid the question. Outside of transactions, which a refusal ends. */
async function answerIfAllowed(connection: PostgresConnection, question: string, task: Task): Promise<string> {
  try {
    return (await connection.row(ANSWER, question, task)).answer;
  } catch (error) {
    if (error instanceof GridError && error.code === 'source-denied') return 'unknown';
    throw error;
  }
}
