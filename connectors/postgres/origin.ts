import { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import type { TableOrigin, ValueDefinition } from '../../grid/history/sql-source.ts';
import type { PostgresConnection, Task } from './connection.ts';

const ENTRY = z.object({ column: z.string(), part: z.string(), meaning: z.string() });

/** An enum with more labels is told by a digest of all of them; an added label then counts as a change. */
const MOST_LABELS = 1_000;

/** Types whose values are numbers of what is in the catalogue, and whose text is its name. */
const NAMES_OF_OBJECTS = [
  ...['regclass', 'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc'],
  ...['regprocedure', 'regrole', 'regtype', 'aclitem'],
];

/** Parts of a definition that can be added to without changing the text of any value. */
const LABEL = 'label';
/** Part of a definition that says nothing of what the text depends on: there is no telling. */
const NAMES = 'names';

/**
 * What the text of values depends on beside the rows, by column and all types that its type is made of: labels of enums,
 * attributes of composite types, names of objects, expressions of columns that are computed when they are read.
 */
const DEFINITIONS = `WITH RECURSIVE used(number, type_id) AS (
    SELECT attnum, atttypid FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT used.number, part.type_id FROM used JOIN pg_type t ON t.oid = used.type_id, LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typelem <> 0
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS part(type_id)),
  entry(number, part, meaning) AS (
    SELECT number, '${LABEL} ' || type_id || '.' || e.oid, e.enumlabel::text FROM used JOIN pg_enum e ON e.enumtypid = type_id
      WHERE (SELECT count(*) FROM pg_enum c WHERE c.enumtypid = type_id) <= ${MOST_LABELS}
    UNION ALL SELECT number, 'labels ' || type_id, md5(string_agg(e.oid || ' ' || e.enumlabel, ',' ORDER BY e.oid))
      FROM used JOIN pg_enum e ON e.enumtypid = type_id GROUP BY 1, type_id HAVING count(*) > ${MOST_LABELS}
    UNION ALL SELECT number, 'attributes ' || t.oid, (
        SELECT coalesce(string_agg(a.attnum || ':' || a.atttypid || ':' || a.atttypmod, ',' ORDER BY a.attnum), '')
        FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
      FROM used JOIN pg_type t ON t.oid = type_id WHERE t.typtype = 'c'
    UNION ALL SELECT number, '${NAMES}', t.typname::text FROM used JOIN pg_type t ON t.oid = type_id
      WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname = ANY ('{${NAMES_OF_OBJECTS.join(',')}}'::name[])
    UNION ALL SELECT r.attnum, 'expression', string_agg(DISTINCT md5(pg_get_expr(d.adbin, d.adrelid)), ',')
      FROM pg_attribute r JOIN pg_attribute a ON a.attname = r.attname AND (a.attrelid = r.attrelid OR a.attrelid = ANY ($2::oid[]))
        JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE r.attrelid = $1::oid AND r.attgenerated = 'v' GROUP BY 1)
  SELECT a.attname AS column, part, meaning FROM entry JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum = number
  ORDER BY number, part, meaning`;

/** Definitions of the columns of a table whose text depends on more than its rows. @param leaves oids of those that have its rows */
export async function definitionsOf(
  connection: PostgresConnection,
  oid: string,
  leaves: readonly string[],
  task: Task,
): Promise<readonly ValueDefinition[]> {
  const rows = await connection.rows(ENTRY, DEFINITIONS, task, [oid, `{${leaves.join(',')}}`]);
  const byColumn = new Map<string, [string, string][]>();
  for (const { column, part, meaning } of rows) {
    const parts = byColumn.get(column) ?? [];
    parts.push([part, meaning]);
    byColumn.set(column, parts);
  }
  return [...byColumn].map(([column, parts]) => ({ column, parts }));
}

/**
 * Refuses to take only what has changed where that is not told by the rows: of another table that has the name now, and of columns
 * whose values read otherwise though nobody touched their rows.
 *
 * @param where begins the message
 * @throws GridError `append-impossible`
 */
export function refuseOtherOrigin(before: TableOrigin | undefined, now: TableOrigin, where: string): void {
  const impossible = (what: string): GridError =>
    new GridError('append-impossible', `${where}: ${what}. Import the table whole.`);
  if (before !== undefined && before.table !== now.table) {
    throw impossible(
      'the table of this name is not the one that was imported last: it was dropped and made anew, or another one was renamed to it',
    );
  }
  for (const { column, parts } of now.definitions) {
    const names = parts.find(([part]) => part === NAMES)?.[1];
    if (names !== undefined) {
      throw impossible(
        `"${column}" holds names of the catalogue (${names}), which change without a change of any row, so what has changed cannot be told`,
      );
    }
  }
  for (const { column, parts } of before?.definitions ?? []) {
    const definition = now.definitions.find((other) => other.column === column);
    if (definition !== undefined && !readsAlike(parts, definition.parts)) {
      throw impossible(
        `the type or expression of "${column}" was altered since the last import, so values of rows that nobody touched read otherwise (a label was renamed, an attribute added or dropped, or the like)`,
      );
    }
  }
}

function readsAlike(before: ValueDefinition['parts'], now: ValueDefinition['parts']): boolean {
  const meanings = new Map(now);
  const earlier = new Map(before);
  return (
    before.every(([part, meaning]) => meanings.get(part) === meaning) &&
    // No value had a label that was added since.
    now.every(([part]) => earlier.has(part) || part.startsWith(`${LABEL} `))
  );
}
