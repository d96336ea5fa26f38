import pg from 'pg';
import { GridError } from '../../../grid/errors.ts';
import { withoutPassword } from '../../../runtime/config.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** Another process may be loading the same tables; a download that it waits for is not part of that. */
const LOCK_TIMEOUT = '120s';
const STATEMENT_TIMEOUT = '1h';

/**
 * Runs `work` with a connection of its own, which ends with it, and at once when `signal` aborts: what was not committed is then as if
 * it had never been.
 *
 * @throws GridError `source-unavailable`, `source-denied`, `disk-full`, `source-refused`; what is none of the driver's passes through.
 */
export async function withConnection<T>(
  databaseUrl: string,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'powergrid-sample-history',
    keepAlive: true,
  });
  // Without a listener a connection that breaks would end the process; the query under way is told of it as well.
  client.on('error', () => undefined);
  const abort = (): void => {
    client.end().catch(() => undefined);
  };
  try {
    signal.throwIfAborted();
    await client.connect();
    signal.addEventListener('abort', abort, { once: true });
    await client.query(`SET lock_timeout = '${LOCK_TIMEOUT}'; SET statement_timeout = '${STATEMENT_TIMEOUT}'`);
    return await work(client);
  } catch (error) {
    throw signal.aborted ? signal.reason : explain(error, databaseUrl);
  } finally {
    signal.removeEventListener('abort', abort);
    await client.end().catch(() => undefined);
  }
}

/** One transaction: all of it or nothing. */
export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function explain(error: unknown, databaseUrl: string): unknown {
  if (error instanceof GridError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const what = `Loading sample history into ${withoutPassword(databaseUrl)}: ${error.message}`;
  const fail = (...[name, advice]: [ConstructorParameters<typeof GridError>[0], string]): GridError =>
    new GridError(name, `${what}. ${advice}`, { cause: error });
  if (/^53100/.test(code)) return fail('disk-full', 'Make room and try again; nothing half loaded is left.');
  if (/^(28|42501|3D000)/.test(code)) {
    return fail(
      'source-denied',
      'Check user, password and database in HISTORY_POSTGRES_URL, and the right to create tables.',
    );
  }
  if (
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|57P|08)/.test(code) ||
    /timeout|terminated|not queryable/i.test(error.message)
  ) {
    return fail(
      'source-unavailable',
      'Check that PostgreSQL runs (`npm run stack -- up postgres`) and try again; nothing half loaded is left.',
    );
  }
  if (/^[0-9A-Z]{5}$/.test(code)) return fail('source-refused', 'Nothing half loaded is left.');
  return error;
}
