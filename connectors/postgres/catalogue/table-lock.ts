import type { FieldDef } from 'pg';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { PostgresSession, Task } from '../session/session.ts';

/** A relation that is locked against DROP, TRUNCATE and ALTER until the (sub)transaction ends, and is as it was at the snapshot. */
export interface LockedRelation {
  /** Qualified and quoted, of now. */
  readonly relation: string;
  /** Pages of its file, now: whatever the snapshot sees lies in them. */
  readonly pages: number;
}

const NAME = z.object({ relation: z.string(), exists: z.enum(['t', 'f']) });
const STATE = z.object({
  file_now: z.string().nullable(),
  file_then: z.string(),
  pages: z.string().nullable().transform(Number),
  columns: z.string(),
});
const COLUMNS_THEN = z.array(z.tuple([z.string(), z.int(), z.string(), z.int()]));

/**
 * Locks a relation (ACCESS SHARE) and makes sure that it is now what it was at the transaction's snapshot: the same file, the same
 * columns. TRUNCATE and rewriting ALTERs do not care for snapshots: without this, rows would be missing silently.
 * The catalogue's tables show what was at the snapshot, its functions and the statement's description what is now.
 *
 * @param what the relation as messages name it.
 * @throws GridError `unknown-table` when it was dropped, `table-changed`
 */
export async function lockUnchanged(
  connection: PostgresSession,
  oid: string,
  what: string,
  task: Task,
): Promise<LockedRelation> {
  const where = `${task.attempt} (${connection.address})`;
  const changed = (how: string): GridError =>
    new GridError(
      'table-changed',
      `${where}: ${what} ${how} after it was planned or its snapshot was taken. Import it again.`,
    );
  const { relation, exists } = await connection.row(
    NAME,
    'SELECT $1::oid::regclass::text AS relation, pg_table_is_visible($1::oid) IS NOT NULL AS exists',
    task,
    [oid],
  );
  if (exists === 'f') throw dropped(where, what);
  let fields: readonly FieldDef[];
  try {
    fields = await connection.describe(`SELECT * FROM ONLY ${relation} LIMIT 0`, task);
  } catch (error) {
    if (error instanceof GridError && error.code === 'unknown-table') throw changed('was renamed, moved or dropped');
    throw error;
  }
  if (fields.some(({ tableID }) => String(tableID) !== oid)) throw changed('was replaced by another one');
  const state = await connection.row(
    STATE,
    `SELECT pg_relation_filenode(c.oid)::text AS file_now, c.relfilenode::text AS file_then,
      (pg_relation_size(c.oid) / current_setting('block_size')::int8)::text AS pages,
      (SELECT coalesce(json_agg(json_build_array(attname, attnum::int4, CASE typtype WHEN 'd' THEN '' ELSE atttypid::text END,
          atttypmod) ORDER BY attnum), '[]')
        FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)::text AS columns
      FROM pg_class c WHERE c.oid = $1::oid`,
    task,
    [oid],
  );
  if ((state.file_now ?? '0') !== state.file_then) throw changed('was truncated or rewritten');
  const now = new Map(fields.map((field) => [field.columnID, field]));
  const then = COLUMNS_THEN.parse(JSON.parse(state.columns));
  // Columns that were added since belong to no row of the snapshot.
  for (const [name, number, type, modifier] of then) {
    const field = now.get(number);
    // Of a domain, the statement is described by the type below it.
    const sameType = type === '' || (String(field?.dataTypeID) === type && field?.dataTypeModifier === modifier);
    if (field?.name !== name || !sameType) throw changed(`got another column in place of "${name}"`);
  }
  return { relation, pages: state.pages };
}

function dropped(where: string, what: string): GridError {
  return new GridError('unknown-table', `${where}: ${what} was dropped after its snapshot was taken. Leave it out.`);
}
