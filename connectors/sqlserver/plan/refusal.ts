import { GridError } from '../../../grid/errors.ts';
import type { ColumnRemark, TableId } from '../../../grid/history/sql-source.ts';
import type { MappedColumns } from './types.ts';
import { nameOfTable } from '../../../grid/history/table-name.ts';

/** Columns that one message names. */
const MOST_LISTED = 100;

/**
 * Refuses a table with columns that cannot be kept, or without any that can. The advice comes before the list, which may be long.
 *
 * @throws GridError `unsupported-column`, with all such columns in `details`
 */
export function refuseUnkeepable(table: TableId, { columns, remarks }: MappedColumns): void {
  const where = `Planning the import of ${nameOfTable(table)} from SQL Server`;
  const refused = remarks.filter(({ done }) => done === 'refused');
  if (refused.length > 0) {
    const counted = refused.length === 1 ? 'a column' : `${refused.length} columns`;
    throw new GridError(
      'unsupported-column',
      `${where}: it has ${counted} that cannot be kept. Import it with onUnsupported "text" (where a column has one) or "skip", or leave the table out: ${listed(refused)}.`,
      { details: { columns: refused } },
    );
  }
  if (columns.length === 0) {
    throw new GridError('unsupported-column', `${where}: no column of it can be imported. Leave the table out.`, {
      details: { columns: remarks },
    });
  }
}

/** All columns, those with the same reason together; of very many the first ones. */
function listed(refused: readonly ColumnRemark[]): string {
  const byReason = new Map<string, string[]>();
  for (const { column, sourceType, reason } of refused.slice(0, MOST_LISTED)) {
    const columns = byReason.get(reason) ?? [];
    columns.push(`${column} (${sourceType})`);
    byReason.set(reason, columns);
  }
  const groups = [...byReason].map(([reason, columns]) => `${columns.join(', ')}: ${reason}`);
  const more = refused.length - MOST_LISTED;
  return groups.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
