import { quoteString, type HiveCallOptions, type HiveClient } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';

const EXPLAIN = 'EXPLAIN AUTHORIZATION';
/** What Hive reads where a query reads nothing. */
const NOTHING = '_dummy_database@_dummy_table';

/**
 * What Hive's own compiler says that a query reads. It must say too that it is a query, and writes nothing but what Hive fetches the rows from:
 * a second judge beside the reader of statements.
 *
 * @returns `database.table`, in order
 * @throws GridError `statement-not-allowed`; what Hive says of a statement that it cannot compile
 */
export async function tablesRead(hive: HiveClient, sql: string, call: HiveCallOptions): Promise<string[]> {
  const lines = await explained(hive, sql, call);
  const sections = new Map<string, string[]>();
  let section: string[] = [];
  for (const line of lines) {
    const heading = /^([A-Z_]+):\s*$/.exec(line)?.[1];
    if (heading === undefined) section.push(line.trim());
    else sections.set(heading, (section = []));
  }
  const operation = sections.get('OPERATION')?.join(' ').trim();
  const output = (sections.get('OUTPUTS') ?? []).find((name) => name !== '' && !/^[a-z0-9]+:\/|^\//.test(name));
  if (operation !== 'QUERY' || output !== undefined) {
    throw new GridError(
      'statement-not-allowed',
      `Looking at the statement by Hive's compiler: it is ${operation ?? 'of an unknown kind'}${output === undefined ? '' : ` and writes ${output}`}, and this only reads. Correct the statement.`,
    );
  }
  const names = (sections.get('INPUTS') ?? []).filter((name) => name !== NOTHING && /^[^@]+@[^@]+$/.test(name));
  return [...new Set(names.map((name) => name.replace('@', '.')))].sort();
}

async function explained(hive: HiveClient, sql: string, call: HiveCallOptions): Promise<string[]> {
  try {
    return (await hive.rows(`${EXPLAIN}\n${sql}`, call)).map(([line]) => line ?? '');
  } catch (error) {
    if (!(error instanceof GridError) || error.retryable) throw error;
    // Told of the statement as it was given: its lines are one less.
    const message = error.message
      .replace(`${EXPLAIN} `, '')
      .replaceAll(/\bline (\d+):/gi, (text, line: string) => text.replace(line, String(Number(line) - 1)));
    throw new GridError(error.code, message, { cause: error.cause });
  }
}

/** The whole types of a query's columns, such as `array<int>`; none where this Hive does not tell. */
export async function fullTypes(hive: HiveClient, sql: string, call: HiveCallOptions): Promise<string[]> {
  try {
    const rows = await hive.rows(`SELECT get_sql_schema(${quoteString(sql)})`, call);
    return rows.map(([, type]) => Buffer.from(type ?? '', 'base64').toString());
  } catch (error) {
    if (error instanceof GridError && error.code === 'hive-refused') return [];
    throw error;
  }
}
