import { GridError } from '../../../grid/errors.ts';
import type { ChangesSince, PlanOptions, TableId } from '../../../grid/history/sql-source.ts';
import type { CatalogueColumn, TableDescription } from '../catalogue/catalogue.ts';
import { orderedText, orderedType, orderedValue, type OrderedType } from './ordered-types.ts';
import { refuseOtherOrigin } from '../catalogue/origin.ts';
import { columnReference, tableReference } from '../sql-text.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

/** `MIN_ACTIVE_ROWVERSION()` as text. */
export const POSITION = /^0x[0-9A-Fa-f]{16}$/;

/** How an incremental import tells what is new. */
export type ChangeTracking =
  | { readonly kind: 'rowversion'; readonly column: string; readonly from: string }
  | {
      readonly kind: 'cursor';
      readonly column: string;
      readonly type: OrderedType;
      /** Undefined when there was no value at the last import. */
      readonly above: string | undefined;
    };

/** What an incremental import reads. */
export interface ChangeRange {
  readonly condition: string;
  /** Rows that count at all: those beyond belong to the next import. */
  readonly horizon: string;
  readonly upperPosition?: string;
}

/**
 * Chooses how changes are told: by the rowversion column, which no change escapes, else by the cursor column.
 *
 * @throws GridError `append-impossible`, `unknown-column`
 */
export function changeTracking(
  description: TableDescription,
  since: ChangesSince,
  options: Pick<PlanOptions, 'cursor'>,
  server: { readonly fingerprint: string },
): ChangeTracking {
  const { table, columns } = description;
  if (since.fingerprint !== server.fingerprint) {
    throw impossible(table, 'the last import read another database, or this one was restored since');
  }
  refuseOtherOrigin(
    since.origin,
    description.origin,
    `Planning an incremental import of ${nameOfTable(table)} from SQL Server`,
  );
  const rowversion = columns.find(({ type }) => type === 'timestamp');
  if (rowversion !== undefined && POSITION.test(since.position)) {
    return { kind: 'rowversion', column: rowversion.name, from: since.position };
  }
  const { cursor } = options;
  if (cursor === undefined) {
    throw impossible(
      table,
      rowversion === undefined
        ? 'it has no rowversion column, and no cursor column was named'
        : 'the last import has kept no rowversion position, and no cursor column was named',
    );
  }
  if (since.cursor !== undefined && since.cursor !== cursor) {
    throw impossible(table, `the last import went by column ${since.cursor}, this one is to go by ${cursor}`);
  }
  if (since.cursor === undefined) throw impossible(table, `the last import did not go by column ${cursor}`);
  const type = orderedType(cursorColumn(table, columns, cursor));
  if (type === undefined) throw impossible(table, `column ${cursor} has no order`);
  return { kind: 'cursor', column: cursor, type, above: since.cursorValue };
}

/** @throws GridError `unknown-column` */
export function cursorColumn(table: TableId, columns: readonly CatalogueColumn[], name: string): CatalogueColumn {
  const column = columns.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  throw new GridError(
    'unknown-column',
    `Planning the import of ${nameOfTable(table)}: it has no column ${name} to tell new rows by. Name one of: ${columns
      .map((candidate) => candidate.name)
      .join(', ')
      .slice(0, 500)}.`,
  );
}

/** Highest value of a cursor column as text; NULL for no rows. */
export function highestStatement(
  table: TableId,
  cursor: { readonly column: string; readonly type: OrderedType },
  condition: string | undefined,
): string {
  const value = columnReference(cursor.column);
  const where = condition === undefined ? '' : ` WHERE ${condition}`;
  return `SELECT ${orderedText('q.m', cursor.type)} FROM (SELECT MAX(${value}) AS m FROM ${tableReference(table)} AS t${where}) AS q`;
}

/** Rows changed at or after `from` and before `upper`, which no transaction that still runs can add to. */
export function rowversionRange(
  tracking: { readonly column: string; readonly from: string },
  upper: string,
): ChangeRange {
  const value = columnReference(tracking.column);
  return {
    condition: `${value} >= CONVERT(binary(8), ${tracking.from}) AND ${value} < CONVERT(binary(8), ${upper})`,
    horizon: `${value} < CONVERT(binary(8), ${upper})`,
    upperPosition: upper,
  };
}

/** Rows whose cursor is above the last one imported, and at most the highest of now. */
export function cursorRange(
  tracking: { readonly column: string; readonly type: OrderedType; readonly above: string | undefined },
  highest: string | undefined,
): ChangeRange {
  const value = columnReference(tracking.column);
  // Without any value there is nothing to read, and rows with none are what was imported.
  if (highest === undefined) return { condition: '1 = 0', horizon: `${value} IS NULL` };
  const top = `${value} <= ${orderedValue(highest, tracking.type)}`;
  return {
    condition:
      tracking.above === undefined ? top : `${value} > ${orderedValue(tracking.above, tracking.type)} AND ${top}`,
    horizon: `${top} OR ${value} IS NULL`,
  };
}

function impossible(table: TableId, reason: string): GridError {
  return new GridError(
    'append-impossible',
    `Planning an incremental import of ${nameOfTable(table)} from SQL Server: ${reason}. Import it whole (mode full)${
      reason.includes('no cursor') ? ', or name a cursor column that grows with each change' : ''
    }.`,
  );
}
