import { escapeIdentifier, escapeLiteral } from 'pg';

/** A name as SQL takes it. */
export function quoted(name: string): string {
  return escapeIdentifier(name);
}

/** A text constant as SQL takes it, whatever `standard_conforming_strings` is. */
export function literal(text: string): string {
  return escapeLiteral(text).trim();
}
