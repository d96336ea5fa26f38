import type { ImportColumn, TablePlan } from '../../grid/history/sql-source.ts';
import { splitConditions, type Split } from './splits.ts';
import { bracketed, columnReference, tableReference } from './sql-text.ts';
import { fieldCharacters } from './types.ts';

/** Characters of an nvarchar that is no `(max)`: concatenations are cut there without a word. */
const BOUNDED_CHARACTERS = 4_000;
/** Arguments that CONCAT takes, with room to spare. */
const CONCAT_COLUMNS = 100;

/** Estimated bytes of a row's text beyond which it is not read: rows of this size pass whole through memory. */
export const ROW_LIMIT_BYTES = 64 * 1024 * 1024;

/** The text of a row: its fields, separated by TAB, without the line's end. Binary fields are in hexadecimal. */
export function rowText(columns: readonly ImportColumn[]): string {
  const large = isLarge(columns);
  const head = large ? "CONVERT(nvarchar(max), N'')" : "N''";
  const concatenated = (parts: readonly string[]): string => `CONCAT(${[head, ...parts].join(', ')})`;
  const groups: string[] = [];
  for (let at = 0; at < columns.length; at += CONCAT_COLUMNS) {
    const fields = columns.slice(at, at + CONCAT_COLUMNS).map(({ expression }) => expression);
    groups.push(concatenated(fields.flatMap((field, index) => (index === 0 ? [field] : ['NCHAR(9)', field]))));
  }
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return only;
  return concatenated(groups.flatMap((group, index) => (index === 0 ? [group] : ['NCHAR(9)', group])));
}

/** Whether a row's text may exceed what a bounded nvarchar holds. */
export function isLarge(columns: readonly ImportColumn[]): boolean {
  let characters = columns.length;
  for (const column of columns) {
    const most = fieldCharacters(column);
    if (most === undefined) return true;
    characters += most;
  }
  return characters > BOUNDED_CHARACTERS;
}

/** Bytes that a row's large fields take as text, from the stored lengths alone; undefined where no field is large. */
function largeBytes(columns: readonly ImportColumn[]): string | undefined {
  const large = columns.filter((column) => fieldCharacters(column) === undefined);
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

/** What is read of each row. */
export type RowParts =
  /** Text and its SHA-256. */
  'text and hash' | 'text' | 'hash';

/**
 * The rows of a split. A text (or hash) of NULL stands for a row beyond {@link ROW_LIMIT_BYTES}. Rows come in the order in
 * which the clustered index stores them, which costs nothing; where there is none, in any.
 */
export function rowsStatement(plan: TablePlan, split: Split, parts: RowParts): string {
  const text = rowText(plan.columns);
  const bytes = largeBytes(plan.columns);
  const guarded = bytes === undefined ? text : `CASE WHEN ${bytes} <= ${ROW_LIMIT_BYTES} THEN ${text} END`;
  const hash = "HASHBYTES('SHA2_256', x.r)";
  const selected = { 'text and hash': `x.r, ${hash}`, text: 'x.r', hash }[parts];
  const conditions = chosen(plan, split);
  // The order matters to files only: digests do not depend on it.
  const order =
    parts === 'hash'
      ? []
      : split.stored.map(({ name, descending }) => `t.${bracketed(name)}${descending ? ' DESC' : ''}`);
  return `SELECT ${selected} FROM ${tableReference(plan.table)} AS t CROSS APPLY (SELECT ${guarded} AS r) AS x${where(conditions)}${
    order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`
  }`;
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
