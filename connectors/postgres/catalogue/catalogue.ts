import { createHash } from 'node:crypto';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { TableId, TableOrigin } from '../../../grid/history/sql-source.ts';
import type { ColumnType } from '../plan/types.ts';
import type { PostgresSession, Task } from '../session/session.ts';
import { definitionsOf } from './origin.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

const integer = z
  .string()
  .regex(/^-?\d+$/)
  .transform(Number);
const boolean = z.enum(['t', 'f']).transform((letter) => letter === 't');

const TABLE = z.object({
  oid: z.string(),
  kind: z.string(),
  populated: boolean,
  temporary: boolean,
  readable: boolean.nullable(),
  filtered: boolean.nullable(),
});

const COLUMN = z.object({
  name: z.string(),
  number: integer,
  declared: z.string(),
  type_id: integer,
  modifier: integer,
  base_schema: z.string(),
  base_name: z.string(),
  base_kind: z.string(),
  base_is_array: boolean,
  base_modifier: integer,
  indexed: boolean,
});

const LEAF = z.object({
  oid: z.string(),
  name: z.string(),
  kind: z.string(),
  file: z.string(),
  access_method: z.string().nullable(),
  readable: boolean.nullable(),
});

const NAMED = z.object({ name: z.string() });

export interface CatalogueColumn {
  readonly name: string;
  /** `attnum`. */
  readonly number: number;
  /** As the catalogue writes it: `numeric(12,4)`. */
  readonly declared: string;
  readonly typeId: number;
  readonly modifier: number;
  readonly type: ColumnType;
  /** Whether an index finds its least and greatest value. */
  readonly indexed: boolean;
  /** Whether it is NOT NULL, in all leaves. */
  readonly neverNull: boolean;
}

/** A relation that has rows of the table in pages of its own: the table itself, a partition, an heir. */
export interface Leaf {
  readonly oid: string;
  readonly name: string;
  /** `relfilenode`: another one after TRUNCATE, VACUUM FULL and whatever else rewrites the table. */
  readonly file: string;
}

/** A table as the catalogue describes it at the transaction's snapshot. */
export interface CatalogueTable {
  readonly oid: string;
  readonly columns: readonly CatalogueColumn[];
  readonly key: readonly string[];
  /** Why there is no key although the table has a primary one. */
  readonly keyless?: string;
  readonly leaves: readonly Leaf[];
  readonly origin: TableOrigin;
  readonly identity: string;
}

/** `pg_class.relkind` of what is no table with rows of its own, for people. */
const OTHER_KINDS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    v: 'a view: import the tables it is made of, or make it a materialized view',
    f: 'a foreign table: import it from the server where it lies',
    S: 'a sequence',
    i: 'an index',
    I: 'an index',
    c: 'a composite type',
    t: 'a TOAST table',
  }),
);

const FIND = `SELECT c.oid::text AS oid, c.relkind::text AS kind, c.relispopulated AS populated,
    c.relpersistence = 't' AS temporary,
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
    row_security_active(c.oid) AS filtered
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;

const COLUMNS = `WITH RECURSIVE base AS (
    SELECT attnum, atttypid AS type_id, atttypmod AS modifier FROM pg_attribute
      WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT attnum, t.typbasetype, t.typtypmod FROM base JOIN pg_type t ON t.oid = base.type_id WHERE t.typtype = 'd')
  SELECT a.attname AS name, a.attnum::text AS number, format_type(a.atttypid, a.atttypmod) AS declared,
    a.atttypid::text AS type_id, a.atttypmod::text AS modifier, n.nspname AS base_schema, t.typname AS base_name,
    t.typtype::text AS base_kind, t.typcategory = 'A' AS base_is_array, base.modifier::text AS base_modifier,
    EXISTS (SELECT FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am m ON m.oid = ic.relam
      WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid AND m.amname = 'btree'
    ) AS indexed
  FROM pg_attribute a JOIN base USING (attnum) JOIN pg_type t ON t.oid = base.type_id
    JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE a.attrelid = $1::oid AND t.typtype <> 'd' ORDER BY a.attnum`;

const PRIMARY_KEY = `SELECT a.attname AS name FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
  JOIN pg_attribute a ON a.attnum = k.attnum
  WHERE i.indrelid = $1::oid AND i.indisprimary AND a.attrelid = i.indrelid AND k.place <= i.indnkeyatts ORDER BY k.place`;

const LEAVES = `WITH RECURSIVE tree(oid) AS (
    SELECT $1::oid UNION SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid WHERE NOT i.inhdetachpending)
  SELECT c.oid::text AS oid, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind, c.relfilenode::text AS file,
    m.amname AS access_method, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
  FROM tree JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am m ON m.oid = c.relam
  WHERE c.relkind NOT IN ('p') ORDER BY c.oid`;

/** Columns of leaves that may be NULL; also where NOT NULL is declared but was never validated (PostgreSQL 18). */
const NULLABLE_COLUMNS = `SELECT DISTINCT a.attname AS name FROM pg_attribute a
  WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND (NOT a.attnotnull OR EXISTS (
    SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND NOT c.convalidated AND a.attnum = ANY (c.conkey)))`;

/** Importable tables; of partitioned ones the root. */
const TABLES = `SELECT n.nspname AS schema, c.relname AS name,
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid) AS readable
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't' AND c.relispopulated
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^(pg_toast|pg_temp_|_timescaledb_)'
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;
const LISTED = z.object({ schema: z.string(), name: z.string(), readable: boolean.nullable() });

const SIMILAR = `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p', 'm') ORDER BY 1 LIMIT 5`;

/** Tables that can be imported, and whether this user may read them. */
export async function listTables(
  connection: PostgresSession,
  task: Task,
): Promise<readonly (TableId & { readonly readable: boolean })[]> {
  const rows = await connection.rows(LISTED, TABLES, task);
  return rows.map(({ schema, name, readable }) => ({ schema, name, readable: readable === true }));
}

/**
 * Describes a table.
 *
 * @throws GridError `unknown-table`, `source-denied`, `source-refused` (a partition that lies elsewhere or is stored in another way)
 */
export async function describeTable(connection: PostgresSession, table: TableId, task: Task): Promise<CatalogueTable> {
  const where = `${task.attempt} (${connection.address})`;
  const [found] = await connection.rows(TABLE, FIND, task, [table.schema, table.name]);
  if (found === undefined) throw await noSuchTable(connection, table, task);
  const { oid, kind, populated, temporary, readable, filtered } = found;
  if (!['r', 'p', 'm'].includes(kind)) {
    const what = OTHER_KINDS.get(kind) ?? `of kind "${kind}"`;
    throw new GridError('unknown-table', `${where}: ${nameOfTable(table)} is not a table but ${what}.`);
  }
  if (temporary) {
    throw new GridError('unknown-table', `${where}: ${nameOfTable(table)} is a temporary table of another session.`);
  }
  if (!populated) {
    throw new GridError(
      'unknown-table',
      `${where}: ${nameOfTable(table)} is a materialized view that was never filled: REFRESH it.`,
    );
  }
  if (readable === false) {
    throw new GridError(
      'source-denied',
      `${where}: this user may not read ${nameOfTable(table)}. Grant it USAGE on the schema and SELECT on the table.`,
    );
  }
  if (filtered === true) {
    throw new GridError(
      'source-denied',
      `${where}: row-level security hides rows of ${nameOfTable(table)} from this user, so they would be missing silently. Import with a user that has BYPASSRLS or owns the table.`,
    );
  }
  const columns = await connection.rows(COLUMN, COLUMNS, task, [oid]);
  const key = await connection.rows(NAMED, PRIMARY_KEY, task, [oid]);
  const leaves = await connection.rows(LEAF, LEAVES, task, [oid]);
  for (const leaf of leaves) {
    if (!['r', 'm'].includes(leaf.kind) || (leaf.access_method !== null && leaf.access_method !== 'heap')) {
      const what = leaf.kind === 'f' ? 'a foreign table' : `stored by "${leaf.access_method ?? leaf.kind}"`;
      throw new GridError(
        'source-refused',
        `${where}: its part ${leaf.name} is ${what}, which cannot be read by pages. Import it from where it lies, or move it to a table stored as heap.`,
      );
    }
    // Rows of its compressed chunks are not in the chunks' own pages: they would be missing silently.
    if (leaf.name.startsWith('_timescaledb_')) {
      throw new GridError(
        'source-refused',
        `${where}: ${nameOfTable(table)} is a hypertable of TimescaleDB, whose chunks cannot be read by pages. Make a materialized view of it, and import that.`,
      );
    }
    if (leaf.readable === false) {
      throw new GridError(
        'source-denied',
        `${where}: this user may read ${nameOfTable(table)}, but not its part ${leaf.name}, and parts are read one by one. Grant it SELECT on the parts as well.`,
      );
    }
  }
  const oids = `{${leaves.map((leaf) => leaf.oid).join(',')}}`;
  const nullable = new Set((await connection.rows(NAMED, NULLABLE_COLUMNS, task, [oids])).map(({ name }) => name));
  const described = {
    oid,
    columns: columns.map((column) => ({
      name: column.name,
      number: column.number,
      declared: column.declared,
      typeId: column.type_id,
      modifier: column.modifier,
      indexed: column.indexed,
      neverNull: !nullable.has(column.name),
      type: {
        schema: column.base_schema,
        name: column.base_name,
        kind: column.base_kind,
        isArray: column.base_is_array,
        modifier: column.base_modifier,
      },
    })),
    // An index spans the partitions of a partitioned table, but not heirs.
    ...(kind !== 'p' && leaves.length > 1 && key.length > 0
      ? {
          key: [],
          keyless: 'its primary key does not hold for the tables that inherit from it, which may have the same keys',
        }
      : { key: key.map(({ name }) => name) }),
    leaves: leaves.map(({ oid: leafOid, name, file }) => ({ oid: leafOid, name, file })),
    origin: {
      table: oid,
      parts: leaves.map((leaf) => leaf.oid),
      definitions: await definitionsOf(
        connection,
        oid,
        leaves.map((leaf) => leaf.oid),
        task,
      ),
    },
  };
  return { ...described, identity: identityOf(described) };
}

/** Differs as soon as rows may be found elsewhere or read otherwise. */
function identityOf(table: Omit<CatalogueTable, 'identity'>): string {
  const parts = [
    table.oid,
    table.columns.map(({ name, number, typeId, modifier, type, neverNull }) => [
      ...[name, number, typeId, modifier, type.modifier, neverNull],
    ]),
    table.key,
    table.leaves.map(({ oid, file }) => [oid, file]),
    ...table.origin.definitions,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

async function noSuchTable(connection: PostgresSession, table: TableId, task: Task): Promise<GridError> {
  const similar = await connection.rows(NAMED, SIMILAR, task, [table.name]);
  const hint = similar.length === 0 ? '' : ` There is ${similar.map(({ name }) => name).join(', ')}.`;
  return new GridError(
    'unknown-table',
    `${task.attempt} (${connection.address}): there is no table ${nameOfTable(table)}.${hint} Correct the name; it matches case by case.`,
  );
}
