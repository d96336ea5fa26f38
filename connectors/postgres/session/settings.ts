/**
 * What a session is set to, so that values come as text that depends on nothing else, and nothing ends it from outside.
 * Each of them is known to PostgreSQL 14.
 */
const SETTINGS = {
  client_encoding: 'UTF8',
  // Text forms of values.
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  // Keeps months, days and seconds apart, and other programs read it.
  IntervalStyle: 'iso_8601',
  // Shortest text that reads back as the same float.
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmloption: 'content',
  // Names are written out with their schema, and nobody's operators get in the way.
  search_path: 'pg_catalog',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  // Rows that a policy hides would be missing silently: the server refuses instead.
  row_security: 'off',
  default_transaction_read_only: 'on',
  // Limits that are meant for interactive use.
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  lock_timeout: '10s',
  // Short expressions over many rows: compiling them costs more than it gains.
  jit: 'off',
  // One connection is one process at the server: the budget of connections limits the load.
  max_parallel_workers_per_gather: '0',
  // Several readers of one table do not have to start where another one is.
  synchronize_seqscans: 'off',
} as const;

/** Of the connection to the server, which through a pooler is not this session's. */
const OF_CONNECTION = {
  // A client that is gone is noticed within a minute, so that its snapshot does not hold up vacuum.
  tcp_keepalives_idle: '20',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '60s',
} as const;

/** Settings that not every version or platform knows, and that can be done without. */
const WHERE_KNOWN = {
  // A query whose client is gone ends, even while it sends nothing.
  client_connection_check_interval: '1s',
  // Since 17.
  transaction_timeout: '0',
} as const;

/** Sets the session up in one statement. */
export const SESSION_SETUP = `SELECT ${settings({ ...SETTINGS, ...OF_CONNECTION }, 'session')}`;

/**
 * Sets up a transaction that a pooler may run in a session of anybody's: the settings end with it. Gives the process that serves
 * it; to be the first statement after the snapshot is there.
 */
export const TRANSACTION_SETUP = `SELECT pg_catalog.pg_backend_pid()::text AS process_id, ${settings(SETTINGS, 'transaction')},
  (SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout')`;

function settings(values: Readonly<Record<string, string>>, scope: 'session' | 'transaction'): string {
  const isLocal = scope === 'transaction';
  const calls = Object.entries(values).map(
    ([name, value]) => `pg_catalog.set_config('${name}', '${value}', ${isLocal})`,
  );
  return calls.join(', ');
}

/** Each of these may fail. */
export const OPTIONAL_SETUP: readonly string[] = Object.entries(WHERE_KNOWN).map(
  ([name, value]) => `SELECT set_config(name, '${value}', false) FROM pg_catalog.pg_settings WHERE name = '${name}'`,
);
