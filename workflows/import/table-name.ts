import type { TableId } from '../../grid/history/sql-source.ts';

/** As people write it, and as the input names it. */
export function qualifiedName({ schema, name }: TableId): string {
  return `${schema}.${name}`;
}
