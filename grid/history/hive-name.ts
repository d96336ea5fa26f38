/**
 * What imported tables and columns are called in Hive: lower-case letters, digits and underscores, so that they can be written
 * without quotes unless they are reserved words or begin with an underscore. Not for workflow code (it hashes).
 */
import { createHash } from 'node:crypto';
import type { SourceName, TableId } from './sql-source.ts';

/** The schema whose tables go by their name alone. */
const DEFAULT_SCHEMAS: Readonly<Record<SourceName, string>> = { postgres: 'public', sqlserver: 'dbo' };

/** Partition columns of the tables under the views; no column of a source may be called so. */
export const GENERATION_COLUMN = 'import_generation';
export const RUN_COLUMN = 'import_run';
/** Rank of a row among those of its key, newest first; within the view of a merged table. */
export const RANK_COLUMN = 'import_rank';
const RESERVED_COLUMNS: readonly string[] = [GENERATION_COLUMN, RUN_COLUMN, RANK_COLUMN];

/** Older metastores take 128 characters; what is added to a table's name for the tables and views around it has to fit as well. */
const MAX_NAME_LENGTH = 100;

/** Database of the views that are queried. */
export function hiveDatabase(prefix: string, source: SourceName): string {
  return `${prefix}_${source}`;
}

/** Database of the tables under the views, whose partitions are runs. */
export function hiveRunsDatabase(prefix: string, source: SourceName): string {
  return `${prefix}_${source}_runs`;
}

/**
 * What a table may be called, best first: `<table>` for `public` and `dbo`, else `<schema>__<table>`; and the same with 6
 * hexadecimal digits of the SHA-256 of `<schema>.<table>`, which tells it from another whose name becomes the same.
 */
export function hiveTableNames(source: SourceName, { schema, name }: TableId): readonly [string, string] {
  const full = schema === DEFAULT_SCHEMAS[source] ? name : `${schema}__${name}`;
  return candidates(full, `${schema}.${name}`, 'table');
}

/** The same for the view of readings over a table called `hiveTable` in Hive. */
export function hiveReadingsNames(source: SourceName, table: TableId, hiveTable: string): readonly [string, string] {
  const name = `${hiveTable}__readings`;
  return [name, `${name}_${digest(`${source}.${table.schema}.${table.name}`, 6)}`];
}

/**
 * Hive's names of a table's columns, in order. Of columns whose names become the same, the one that is already written so keeps
 * it, and the others get 6 hexadecimal digits of the SHA-256 of their name.
 */
export function hiveColumnNames(columns: readonly string[]): readonly string[] {
  const plain = columns.map((column) => candidates(column, column, 'column'));
  const wanted = new Map<string, number>();
  for (const [name] of plain) wanted.set(name, (wanted.get(name) ?? 0) + 1);
  const taken = new Set<string>(RESERVED_COLUMNS);
  const names = plain.map(([name], index) => {
    const own = !RESERVED_COLUMNS.includes(name) && (wanted.get(name) === 1 || columns[index] === name);
    if (own) taken.add(name);
    return own ? name : undefined;
  });
  return names.map((name, index) => {
    if (name !== undefined) return name;
    let unique = plain[index]?.[1] ?? '';
    // A column that is called like another one with its digest.
    while (taken.has(unique)) unique = `${unique}_`;
    taken.add(unique);
    return unique;
  });
}

/** Name of the table under the views that holds the runs with one list of columns. */
export function hiveRunsTable(hiveTable: string, columnsFingerprint: string): string {
  return `${hiveTable}__${columnsFingerprint}`;
}

/** 8 hexadecimal digits that stand for a list of columns: their names and types, in order. */
export function columnsFingerprint(columns: readonly { readonly name: string; readonly hiveType: string }[]): string {
  return digest(JSON.stringify(columns.map(({ name, hiveType }) => [name, hiveType])), 8);
}

function candidates(name: string, identity: string, kind: 'table' | 'column'): readonly [string, string] {
  const clean = name.toLowerCase().replace(/[^a-z0-9_]/gu, '_');
  // A name of which nothing is left would say nothing.
  const told = /[a-z0-9]/.test(clean) ? clean : `${kind}_${digest(identity, 6)}`;
  const unique = `${told.slice(0, MAX_NAME_LENGTH - 7)}_${digest(identity, 6)}`;
  return told.length > MAX_NAME_LENGTH ? [unique, unique] : [told, unique];
}

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
