import { GridError } from '../../grid/errors.ts';
import type { TableOrigin } from '../../grid/history/sql-source.ts';
import type { CatalogueColumn } from './catalogue.ts';
import { sourceType } from './types.ts';

/** Parts of what a column's values depend on beside its rows. */
const COLUMN = 'column';
const TYPE = 'type';

/** Types whose values are rounded, padded or cut to another text when the column gets another length or scale. */
const SHAPED_TYPES = new Set(['time', 'datetime2', 'datetimeoffset', 'char', 'nchar', 'binary']);

/**
 * What the next import compares with. None of these changes is one of a row: renaming, SWITCH PARTITION and ALTER TABLE leave
 * rowversions and cursors as they are.
 *
 * @param table its number and when it was made: numbers are given again
 * @param parts partitions with the numbers of their heaps or trees
 */
export function originOf(table: string, parts: readonly string[], columns: readonly CatalogueColumn[]): TableOrigin {
  const definitions = columns.map((column) => {
    const shape = SHAPED_TYPES.has(column.type) ? [[TYPE, sourceType(column)] as const] : [];
    return { column: column.name, parts: [[COLUMN, column.number] as const, ...shape] };
  });
  return { table, parts, definitions };
}

/**
 * Refuses to take only what has changed where that is not told by the rows.
 *
 * @param before what the last import has met; undefined of those that kept nothing of it
 * @param where begins the message
 * @throws GridError `append-impossible`
 */
export function refuseOtherOrigin(before: TableOrigin | undefined, now: TableOrigin, where: string): void {
  if (before === undefined) return;
  const impossible = (what: string): GridError =>
    new GridError('append-impossible', `${where}: ${what}. Import it whole (mode full).`);
  if (before.table !== now.table) {
    throw impossible(
      'the table of this name is not the one that was imported last: it was dropped and made anew, or another one was renamed to it',
    );
  }
  if (JSON.stringify(before.parts) !== JSON.stringify(now.parts)) {
    throw impossible(
      'its rows lie elsewhere than at the last import: a partition was exchanged (SWITCH), added or removed, the table was truncated, or its clustered index rebuilt, which cannot be told apart',
    );
  }
  for (const { column, parts } of before.definitions) {
    const definition = now.definitions.find((other) => other.column === column);
    if (definition !== undefined && JSON.stringify(parts) !== JSON.stringify(definition.parts)) {
      throw impossible(
        `column ${column} was altered, or dropped and added again, since the last import, so rows that nobody touched have other values`,
      );
    }
  }
}
