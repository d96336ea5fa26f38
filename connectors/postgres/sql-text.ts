import { escapeIdentifier, escapeLiteral } from 'pg';
import type { TableId } from '../../grid/history/sql-source.ts';

/** A name as SQL takes it. */
export function quoted(name: string): string {
  return escapeIdentifier(name);
}

/** A text constant as SQL takes it, whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  return escapeLiteral(text).trim();
}

/** `schema.table` for messages. */
export function shown({ schema, name }: TableId): string {
  return `${schema}.${name}`;
}
