import type { TableId } from './sql-source.ts';

/** `schema.table`, as people write it and as an import's input names it. */
export function nameOfTable({ schema, name }: TableId): string {
  return `${schema}.${name}`;
}
