import type { ImportColumn, TablePlan } from '../../grid/history/sql-source.ts';
import { splitConditions, type Split } from './splits.ts';
import { bracketed, columnReference, tableReference } from './sql-text.ts';
import { fieldKind, isLargeField } from './types.ts';

/** Characters of an nvarchar that is no `(max)`: concatenations are cut there without a word. */
const BOUNDED_CHARACTERS = 4_000;
/** Bytes of a varchar that is none. */
const BOUNDED_BYTES = 8_000;
/** Arguments that CONCAT takes, with room to spare. */
const CONCAT_ARGUMENTS = 240;
/** Digits of a length, and the colon. */
const LENGTH_CHARACTERS = 12;
/** No number, time or GUID is longer. */
const SHORT_CHARACTERS = 41;

/** Estimated bytes of a row's text beyond which it is not read: rows of this size pass whole through memory. */
export const ROW_LIMIT_BYTES = 64 * 1024 * 1024;

/** The name of a column's value in the statements here. */
const valueName = (at: number): string => `v.c${at}`;

/**
 * What a row's hash is of: its fields, separated by TAB; a text with its length in bytes before it, so that nothing in it can be
 * taken for a separator; a binary value in hexadecimal; nothing for NULL. `row-hash.ts` makes the same of what came.
 */
export function hashedText(columns: readonly ImportColumn[]): string {
  const large = isLarge(columns);
  const head = large ? "CONVERT(nvarchar(max), N'')" : "N''";
  const concatenated = (parts: readonly string[]): string => `CONCAT(${[head, ...parts].join(', ')})`;
  const groups: string[][] = [[]];
  for (const [at, column] of columns.entries()) {
    const parts = hashedParts(column, valueName(at));
    const separated = at === 0 ? parts : ['NCHAR(9)', ...parts];
    const group = groups.at(-1) ?? [];
    if (group.length + separated.length <= CONCAT_ARGUMENTS) group.push(...separated);
    else groups.push([...separated]);
  }
  const [only = []] = groups;
  return concatenated(groups.length === 1 ? only : groups.map(concatenated));
}

/** Arguments of CONCAT, which takes NULL for the empty string. */
function hashedParts(column: ImportColumn, value: string): string[] {
  switch (fieldKind(column)) {
    case 'integer':
    case 'boolean':
    case 'plain':
      return [value];
    case 'guid':
      return [`CONVERT(varchar(36), ${value})`];
    case 'binary': {
      const characters = binaryCharacters(column);
      const type = characters > BOUNDED_BYTES ? 'varchar(max)' : `varchar(${characters})`;
      return [`CONVERT(${type}, ${value}, 1)`];
    }
    case 'text':
      // One collation for all: texts of different ones cannot be put together.
      return [`DATALENGTH(${value})`, "N':'", `${value} COLLATE Latin1_General_BIN2`];
  }
}

/** Characters of `0x…` in hexadecimal. */
function binaryCharacters(column: ImportColumn): number {
  return isLargeField(column) ? Number.POSITIVE_INFINITY : 2 + 2 * lengthOf(column);
}

/** The `n` of `nvarchar(n)`; a rowversion has eight bytes. */
function lengthOf({ sourceType }: ImportColumn): number {
  return sourceType === 'rowversion'
    ? 8
    : Number(/^n?(?:var)?(?:char|binary)\((\d+)\)$/.exec(sourceType)?.[1] ?? 4_000);
}

/** Whether what a row's hash is of may exceed what a bounded nvarchar holds. */
export function isLarge(columns: readonly ImportColumn[]): boolean {
  let characters = columns.length;
  for (const column of columns) {
    if (isLargeField(column)) return true;
    const kind = fieldKind(column);
    if (kind === 'binary') characters += binaryCharacters(column);
    else characters += kind === 'text' ? LENGTH_CHARACTERS + lengthOf(column) : SHORT_CHARACTERS;
  }
  return characters > BOUNDED_CHARACTERS;
}

/** Bytes that a row's large fields take as text, from the stored lengths alone; undefined where no field is large. */
function largeBytes(columns: readonly ImportColumn[]): string | undefined {
  const large = columns.filter(isLargeField);
  if (large.length === 0) return undefined;
  return large
    .map(
      (column) =>
        `${textBytesPerStoredByte(column)} * ISNULL(CONVERT(bigint, DATALENGTH(${columnReference(column.name)})), 0)`,
    )
    .join(' + ');
}

/** Text is UTF-16 on its way: code pages double, hexadecimal quadruples. */
function textBytesPerStoredByte({ sourceType, hiveType }: ImportColumn): number {
  if (hiveType === 'BINARY' || sourceType === 'xml') return 4;
  return sourceType.startsWith('n') ? 1 : 2;
}

/** Bytes of a row's hash that are sent and summed up: the first of SHA-256. */
export const HASH_BYTES = 16;

/** A row's hash as it is sent. */
export const hashOf = (text: string): string => `CONVERT(binary(${HASH_BYTES}), HASHBYTES('SHA2_256', ${text}))`;

/** What the rows of a split are read of: the table as `t`, whether a row may be read as `f.fits`, and its values as `v`. */
function rowsOf(plan: TablePlan): { readonly from: string; readonly guarded: boolean } {
  const bytes = largeBytes(plan.columns);
  const guarded = bytes !== undefined;
  const values = plan.columns.map((column, at) => {
    const value =
      guarded && isLargeField(column) ? `CASE WHEN f.fits = 1 THEN ${column.expression} END` : column.expression;
    return `${value} AS c${at}`;
  });
  const fits = guarded
    ? ` CROSS APPLY (SELECT CASE WHEN ${bytes} <= ${ROW_LIMIT_BYTES} THEN 1 ELSE 0 END AS fits) AS f`
    : '';
  const from = `${tableReference(plan.table)} AS t${fits} CROSS APPLY (SELECT ${values.join(', ')}) AS v`;
  return { from, guarded };
}

/** Where the parts of a row lie in what {@link rowsStatement} returns. */
export interface RowLayout {
  /** Column that is 0 for a row beyond {@link ROW_LIMIT_BYTES}, whose large values are not sent; absent where no row can be. */
  readonly fitsAt?: number;
  readonly valuesAt: number;
  /** Column of the hash's first bytes; absent when it was not asked for. */
  readonly hashAt?: number;
}

/** @param hashed whether each row comes with its hash */
export function rowLayout(plan: TablePlan, hashed: boolean): RowLayout {
  const valuesAt = plan.columns.some(isLargeField) ? 1 : 0;
  return {
    valuesAt,
    ...(valuesAt === 0 ? {} : { fitsAt: 0 }),
    ...(hashed ? { hashAt: valuesAt + plan.columns.length } : {}),
  };
}

/**
 * The rows of a split, value by value. They come in the order in which the clustered index stores them, which costs nothing; where
 * there is none, in any.
 */
export function rowsStatement(plan: TablePlan, split: Split, hashed: boolean): string {
  const { from, guarded } = rowsOf(plan);
  const selected = [
    ...(guarded ? ['f.fits'] : []),
    ...plan.columns.map((_, at) => valueName(at)),
    ...(hashed ? [hashOf(hashedText(plan.columns))] : []),
  ];
  // The order matters to files only: digests do not depend on it.
  const order = split.stored.map(({ name, descending }) => `t.${bracketed(name)}${descending ? ' DESC' : ''}`);
  return `SELECT ${selected.join(', ')} FROM ${from}${where(chosen(plan, split))}${
    order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`
  }`;
}

/**
 * The digest of a split without its rows: how many there are, how many of them have a hash (those that are not too large), and the
 * sums of the four big-endian words of the hashes' first 16 bytes.
 */
export function digestStatement(plan: TablePlan, split: Split): string {
  const { from, guarded } = rowsOf(plan);
  const hash = hashOf(hashedText(plan.columns));
  const guardedHash = guarded ? `CASE WHEN f.fits = 1 THEN ${hash} END` : hash;
  return `SELECT CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), COUNT_BIG(h.h)), ${wordSums('h.h').join(', ')} FROM ${from} CROSS APPLY (SELECT ${guardedHash} AS h) AS h${where(chosen(plan, split))}`;
}

/** As text, NULL without rows. A bigint holds the sum of 2^31 words. */
export function wordSums(hash: string): string[] {
  return [1, 5, 9, 13].map((from) => `CONVERT(varchar(20), SUM(CONVERT(bigint, SUBSTRING(${hash}, ${from}, 4))))`);
}

/** How many rows a split has. */
export function countStatement(plan: TablePlan, split: Split): string {
  return `SELECT CONVERT(varchar(20), COUNT_BIG(*)) FROM ${tableReference(plan.table)} AS t${where(chosen(plan, split))}`;
}

/** How many rows the table has within the plan's horizon, and how many of them the plan's condition chooses. */
export function countsStatement(plan: TablePlan, split: Split | undefined): string {
  const horizon = split?.horizon ?? undefined;
  const changed = plan.condition === undefined ? 'COUNT_BIG(*)' : `COUNT_BIG(CASE WHEN ${plan.condition} THEN 1 END)`;
  return `SELECT CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), ${changed}) FROM ${tableReference(plan.table)} AS t${where(
    horizon === undefined ? [] : [horizon],
  )}`;
}

function chosen(plan: TablePlan, split: Split): string[] {
  return [...(plan.condition === undefined ? [] : [plan.condition]), ...splitConditions(split)];
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.map((condition) => `(${condition})`).join(' AND ')}`;
}
