import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import type { SplitRange, TableId } from '../../../grid/history/sql-source.ts';
import type { CatalogueColumn, KeyColumn, TableDescription } from '../catalogue/catalogue.ts';
import { orderedText, orderedType, orderedValue, type OrderedType } from './ordered-types.ts';
import { columnReference, tableReference } from '../sql-text.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

/** A column that splits are ranges of. */
export interface OrderColumn extends OrderedType {
  readonly name: string;
}

/** What orders the rows of a table for its splits. */
export interface RowOrder {
  readonly columns: readonly OrderColumn[];
  /** ORDER BY that the clustered index gives without sorting; empty where there is none. */
  readonly stored: readonly KeyColumn[];
}

/** A split: rows from `from` on (inclusive) to before `to`, by the order's columns, compared by the database. */
const splitSchema = z.object({
  columns: z.array(z.object({ name: z.string(), declaration: z.string(), style: z.number().optional() })),
  stored: z.array(z.object({ name: z.string(), descending: z.boolean() })),
  from: z.array(z.string()).nullable(),
  to: z.array(z.string()).nullable(),
  /** Which rows count as there at all: those that the plan's upper position covers. */
  horizon: z.string().nullable(),
});
export type Split = z.output<typeof splitSchema>;

/** A plan may have more splits than this only where it is asked to; then they get larger instead. */
const MOST_SPLITS = 100_000;

/**
 * Chooses what rows are ordered by: the clustered index (reading in its order is free), made unique by the primary key where
 * it is not; else the primary key, else another unique index. Columns that may be NULL or have no order end it.
 */
export function rowOrder({ columns, indexes }: TableDescription): RowOrder {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const usable = (keys: readonly KeyColumn[]): { key: KeyColumn; column: OrderColumn }[] => {
    const found: { key: KeyColumn; column: OrderColumn }[] = [];
    for (const key of keys) {
      const ordered = orderColumn(byName.get(key.name));
      if (ordered === undefined) break;
      found.push({ key, column: ordered });
    }
    return found;
  };
  const whole = (keys: readonly KeyColumn[]): boolean => usable(keys).length === keys.length;
  const unique = [...indexes]
    .sort((a, b) => Number(b.primary) - Number(a.primary))
    .find((index) => index.unique && whole(index.columns));
  const clustered = indexes.find((index) => index.clustered);
  const prefix = clustered === undefined ? [] : usable(clustered.columns);
  if (clustered !== undefined && prefix.length > 0) {
    const complete = clustered.unique && prefix.length === clustered.columns.length;
    const rest = complete || unique === undefined ? [] : usable(unique.columns);
    const names = new Set(prefix.map(({ column }) => column.name));
    const added = rest.filter(({ column }) => !names.has(column.name));
    return {
      columns: [...prefix, ...added].map(({ column }) => column),
      stored: prefix.map(({ key }) => key),
    };
  }
  return { columns: unique === undefined ? [] : usable(unique.columns).map(({ column }) => column), stored: [] };
}

function orderColumn(column: CatalogueColumn | undefined): OrderColumn | undefined {
  if (column === undefined || column.nullable || column.encrypted || column.masked || column.changing) return undefined;
  const type = orderedType(column);
  return type === undefined ? undefined : { name: column.name, ...type };
}

/** The boundaries of splits of about `splitRows` rows: real quantiles, found in one pass over the key. */
export function boundariesStatement(
  table: TableId,
  order: RowOrder,
  rows: { readonly splitRows: number; readonly estimatedRows: number; readonly condition?: string | undefined },
): string {
  const step = Math.max(rows.splitRows, Math.ceil(rows.estimatedRows / MOST_SPLITS));
  const keys = order.columns.map(({ name }) => columnReference(name));
  const texts = order.columns.map((column, at) => orderedText(`q.k${at}`, column));
  return `SELECT ${texts.join(', ')}
FROM (SELECT ${keys.map((key, at) => `${key} AS k${at}`).join(', ')}, ROW_NUMBER() OVER (ORDER BY ${keys.join(', ')}) AS n
FROM ${tableReference(table)} AS t${rows.condition === undefined ? '' : ` WHERE ${rows.condition}`}) AS q
WHERE q.n > 1 AND (q.n - 1) % ${step} = 0 ORDER BY q.n`;
}

/** Splits between boundaries; one of everything when there is none. */
export function splitsBetween(
  order: RowOrder,
  boundaries: readonly (readonly string[])[],
  horizon: string | undefined,
): SplitRange[] {
  const distinct = boundaries.filter((boundary, at) => at === 0 || !sameTexts(boundary, boundaries[at - 1] ?? []));
  const shared = {
    columns: JSON.stringify(order.columns),
    stored: JSON.stringify(order.stored),
    horizon: horizon ?? null,
  };
  return [null, ...distinct].map((from, at) => {
    const to = distinct[at];
    return {
      ...shared,
      from: from === null ? null : JSON.stringify(from),
      to: to === undefined ? null : JSON.stringify(to),
    };
  });
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}

/** A split of a plan, read back from JSON. @throws GridError `commit-log-corrupt` when it is none of ours */
export function parseSplit(table: TableId, range: SplitRange): Split {
  let raw: unknown;
  try {
    const list = (value: string | number | null | undefined): unknown =>
      typeof value === 'string' ? JSON.parse(value) : (value ?? null);
    raw = {
      columns: list(range['columns']),
      stored: list(range['stored']),
      from: list(range['from']),
      to: list(range['to']),
      horizon: range['horizon'] ?? null,
    };
  } catch {
    raw = undefined;
  }
  const parsed = splitSchema.safeParse(raw);
  if (parsed.success && arityHolds(parsed.data)) return parsed.data;
  throw new GridError(
    'commit-log-corrupt',
    `Reading a split of ${nameOfTable(table)} from its plan: it is no range of SQL Server keys. Discard the run's work directory and start the import anew.`,
  );
}

function arityHolds({ columns, from, to }: Split): boolean {
  return (from ?? to) === null || [from, to].every((texts) => texts === null || texts.length === columns.length);
}

/** Conditions that choose the rows of a split. */
export function splitConditions(split: Split): string[] {
  const conditions: string[] = [];
  const columns = split.columns.map(({ name, declaration, style }) => ({
    name,
    declaration,
    ...(style === undefined ? {} : { style }),
  }));
  if (split.from !== null) conditions.push(...atOrAfter(columns, split.from));
  if (split.to !== null) conditions.push(...before(columns, split.to));
  return conditions;
}

/**
 * (a, b, c) >= (x, y, z) without row values, which T-SQL does not compare. That the first column is at least x follows from
 * the rest, but lets the server seek in the index.
 */
function atOrAfter(columns: readonly OrderColumn[], texts: readonly string[]): string[] {
  return lexicographic(columns, texts, '>', '>=');
}

/** (a, b, c) < (x, y, z): exactly the rows that are not at or after it. */
function before(columns: readonly OrderColumn[], texts: readonly string[]): string[] {
  return lexicographic(columns, texts, '<', '<');
}

function lexicographic(
  columns: readonly OrderColumn[],
  texts: readonly string[],
  strict: '<' | '>',
  last: '<' | '>=',
): string[] {
  const sides = columns.map(
    (column, at) => [columnReference(column.name), orderedValue(texts[at] ?? '', column)] as const,
  );
  const compare = ([[column, value] = ['', ''], ...rest]: typeof sides): string =>
    rest.length === 0
      ? `${column} ${last} ${value}`
      : `(${column} ${strict} ${value} OR (${column} = ${value} AND ${compare(rest)}))`;
  const [first] = sides;
  if (first === undefined) return [];
  return sides.length === 1 ? [compare(sides)] : [`${first[0]} ${strict}= ${first[1]}`, compare(sides)];
}
