import type { TableId } from '../../grid/history/sql-source.ts';

/** An identifier in brackets: `odd]name` → `[odd]]name]`. */
export function bracketed(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/** `[schema].[table]`. */
export function tableReference(table: TableId): string {
  return `${bracketed(table.schema)}.${bracketed(table.name)}`;
}

/**
 * A Unicode literal: `it's` → `N'it''s'`. Between a backslash and the end of a line it is cut in two and put together again:
 * T-SQL takes the two for a continued line and drops them, in literals too.
 */
export function literal(text: string): string {
  const quoted = `N'${text.replaceAll("'", "''").replace(/\\(?=\r?\n)/g, "\\' + N'")}'`;
  return quoted.includes("\\' + N'") ? `(${quoted})` : quoted;
}

/** A column of the row that statements of this connector call `t`. */
export function columnReference(name: string): string {
  return `t.${bracketed(name)}`;
}
