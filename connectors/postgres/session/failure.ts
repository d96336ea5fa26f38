import { DatabaseError } from 'pg';
import { GridError, type ErrorCode } from '../../../grid/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  /** What to do. */
  readonly remedy: string;
}

const RETRIED = 'It is tried again.';
const SERVER_AWAY: Meaning = { code: 'source-unavailable', remedy: RETRIED };

/** SQLSTATEs (PostgreSQL's appendix "Error Codes") that have one meaning whatever was being done. */
const BY_STATE: ReadonlyMap<string, Meaning> = new Map(
  Object.entries<Meaning>({
    // Connections, and a server that starts, stops or fails over.
    '57P01': SERVER_AWAY,
    '57P02': SERVER_AWAY,
    '57P03': SERVER_AWAY,
    '57P05': SERVER_AWAY,
    '53300': { code: 'source-unavailable', remedy: 'The server has no connection left. It is tried again.' },
    '53000': SERVER_AWAY,
    '53100': { code: 'source-unavailable', remedy: "The server's disk is full: free some space. It is tried again." },
    '53200': { code: 'source-unavailable', remedy: 'The server is out of memory. It is tried again.' },
    '53400': SERVER_AWAY,
    '58000': SERVER_AWAY,
    '58030': SERVER_AWAY,
    // Someone cancelled the query, or a standby had to give way to replication.
    '57014': { code: 'source-unavailable', remedy: 'Someone or a time limit cancelled the query. It is tried again.' },
    '40001': SERVER_AWAY,
    '40P01': SERVER_AWAY,
    '55P03': {
      code: 'source-unavailable',
      remedy: 'Another session holds an exclusive lock on the table. It is tried again.',
    },
    // Rights.
    '28000': {
      code: 'source-denied',
      remedy: 'The server does not let this user in: see its pg_hba.conf, and the sslmode of the URL.',
    },
    '28P01': {
      code: 'source-denied',
      remedy: 'Correct user and password in the URL of the source.',
    },
    '3D000': { code: 'source-denied', remedy: 'Correct the database in the URL of the source.' },
    '57P04': { code: 'source-denied', remedy: 'The database was dropped.' },
    '42501': {
      code: 'source-denied',
      remedy:
        'Grant the user USAGE on the schema and SELECT on the table and its partitions; a table with row-level security is read only with BYPASSRLS, since rows would be missing silently.',
    },
    // Moments that are gone.
    '72000': { code: 'snapshot-lost', remedy: 'The server gave up the old rows: raise its old_snapshot_threshold.' },
    // Tables.
    '42P01': { code: 'unknown-table', remedy: 'The table was dropped or renamed.' },
    '3F000': { code: 'unknown-table', remedy: 'The schema was dropped or renamed.' },
    // Bytes that are no text.
    '22021': {
      code: 'unsupported-column',
      remedy: 'The database holds text that is not valid in its own encoding: correct the rows.',
    },
    '22P05': { code: 'unsupported-column', remedy: 'The database holds text that UTF-8 cannot say: correct the rows.' },
  }),
);

/** TLS as Node.js reports it: OpenSSL's verification codes and the handshake's. */
const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|HOSTNAME_MISMATCH|EPROTO)/;
const TLS_MESSAGES = /does not support SSL|establishing an SSL connection|TLS connection|SSL routines/i;

/**
 * What an error of the driver or the server means.
 *
 * @param attempt what was being done, on what; it begins the message.
 */
export function postgresFailure(error: unknown, attempt: string): GridError {
  if (error instanceof GridError) return error;
  const cause = { cause: error };
  const state = sqlState(error);
  if (state !== undefined) {
    const meaning = BY_STATE.get(state) ?? byClass(state);
    return new GridError(
      meaning.code,
      `${attempt}: PostgreSQL answered "${brief(error)}" (${state}). ${meaning.remedy}`,
      cause,
    );
  }
  if (isTlsFailure(error)) {
    return new GridError(
      'source-tls-refused',
      `${attempt}: ${brief(error)}. Correct sslmode and sslrootcert in the URL of the source, or set up TLS at the server.`,
      cause,
    );
  }
  if (error instanceof Error && /password must be a|SASL:|SCRAM/.test(error.message)) {
    return new GridError(
      'source-denied',
      `${attempt}: ${brief(error)}. Correct user and password in the URL of the source.`,
      cause,
    );
  }
  if (isConnectionFailure(error)) {
    return new GridError('source-unavailable', `${attempt}: ${brief(error)}. ${RETRIED}`, cause);
  }
  return new GridError('defect', `${attempt}: unexpected ${brief(error)}.`, cause);
}

/** The SQLSTATE that the server gave; undefined for errors that did not come from it. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether TLS could not be agreed on (as opposed to: nobody answers, or answers "no"). */
export function isTlsFailure(error: unknown): boolean {
  if (!(error instanceof Error) || sqlState(error) !== undefined) return false;
  return TLS_CODES.test(nodeCode(error)) || TLS_MESSAGES.test(error.message);
}

/** Whether the server could not make a value or a block since it is larger than what it can hold in one piece (1 GiB). */
export function isTooLarge(error: unknown): boolean {
  const state = sqlState(error);
  if (state === '54000' || state === '53200') return true;
  return state === 'XX000' && error instanceof Error && error.message.includes('invalid memory alloc request size');
}

function byClass(state: string): Meaning {
  if (state.startsWith('08')) return SERVER_AWAY;
  if (state.startsWith('XX')) {
    return {
      code: 'source-refused',
      remedy: "See the server's log: its data may be damaged.",
    };
  }
  return { code: 'source-refused', remedy: 'Look the answer up and correct the cause.' };
}

const CONNECTION_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH'],
  ...['ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'ENOENT', 'EMFILE', 'ERR_STREAM_PREMATURE_CLOSE'],
  'ERR_STREAM_DESTROYED',
]);

function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    CONNECTION_CODES.has(nodeCode(error)) ||
    /^(Connection terminated|timeout expired|timeout|Client (was closed|has encountered))/i.test(error.message)
  );
}

function nodeCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function brief(error: unknown): string {
  // A name with several addresses fails with all their errors, and no message of its own.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const message = (first instanceof Error ? first.message : String(first)).replace(/\.$/, '');
  return message.length > 300 ? `${message.slice(0, 300)}…` : message;
}
