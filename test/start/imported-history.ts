import pg from 'pg';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';

/** Rows of each table, by its name. */
export type RowCounts = Readonly<Record<string, number>>;

/** Runs statements in the history database. */
export async function changeHistory(environment: Readonly<Record<string, string>>, statements: string): Promise<void> {
  await inHistory(environment, (client) => client.query(statements));
}

/** What PostgreSQL holds, table by table. */
export function countHistory(
  environment: Readonly<Record<string, string>>,
  tables: readonly string[],
): Promise<RowCounts> {
  return inHistory(environment, async (client) => {
    const counts: Record<string, number> = {};
    for (const table of tables) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM public.${table}`);
      counts[table] = Number(rows[0]?.count);
    }
    return counts;
  });
}

/** What Hive's queries find, table by table. */
export async function countInHive(
  environment: Readonly<Record<string, string>>,
  tables: readonly string[],
): Promise<RowCounts> {
  const config = loadConfig({ ...environment });
  const hive = new HiveClient({
    url: config.HIVE_URL,
    user: config.HDFS_USER,
    callTimeoutMs: 240_000,
    logger: createLogger({ name: 'test', level: 'silent', format: 'json' }),
  });
  try {
    const queries = tables.map(
      (table) =>
        `SELECT '${table}' AS name, count(*) AS rows_found FROM ${config.HIVE_DATABASE_PREFIX}_postgres.\`${table}\``,
    );
    const rows = await hive.rows(queries.join(' UNION ALL '));
    return Object.fromEntries(rows.map(([name, count]) => [name ?? '', Number(count)]));
  } finally {
    await hive.close();
  }
}

async function inHistory<T>(
  environment: Readonly<Record<string, string>>,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: loadConfig({ ...environment }).HISTORY_POSTGRES_URL });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
