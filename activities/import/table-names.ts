import type { TableId } from '../../grid/history/sql-source.ts';

/** `schema.table`, as messages, logs and inputs write it. */
export function tableName({ schema, name }: TableId): string {
  return `${schema}.${name}`;
}
