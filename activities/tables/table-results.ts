import { readableName } from '../../connectors/hive/hive.ts';
import { GridError, type ErrorCode } from '../../grid/errors.ts';
import type { TableResult } from '../../workflows/tables/contract.ts';
import type { Ensured } from './ensure-view.ts';
import type { TableName } from './metastore.ts';

/** What is wrong with one table, and does not keep the others from being made. */
const OF_ONE_TABLE: ReadonlySet<string> = new Set<ErrorCode>(['table-conflict', 'invalid-input']);
/** Of what a table shows the first are told: a result has to fit into a workflow's history. */
const MOST_SHOWN = 200;

/** What is told of a table that is made up of some tables and views. */
export function resultOf(
  { database, name }: TableName,
  parts: readonly Ensured[],
  more: Pick<TableResult, 'shows'> & Partial<Pick<TableResult, 'files' | 'bytes' | 'notes'>>,
): TableResult {
  const outcomes = new Set(parts.map(({ outcome }) => outcome));
  // Of several parts one that was missing has been put back.
  const isPartMissing = outcomes.has('created') && outcomes.size > 1;
  const outcome = outcomes.has('evolved') ? 'evolved' : isPartMissing ? 'mended' : [...outcomes][0];
  return {
    name: readableName(database, name),
    outcome: outcomes.has('mended') && outcome !== 'evolved' ? 'mended' : (outcome ?? 'unchanged'),
    columnsAdded: parts.flatMap(({ columnsAdded }) => columnsAdded),
    ...more,
    notes: [...parts.flatMap(({ notes }) => notes), ...(more.notes ?? [])].slice(0, MOST_SHOWN),
    shows: more.shows.slice(0, MOST_SHOWN),
  };
}

export function leftOut({ database, name }: TableName, note: string): TableResult {
  return {
    name: readableName(database, name),
    outcome: 'left out',
    columnsAdded: [],
    notes: [note],
    shows: [],
  };
}

/** The result of a table, or why it was refused; what concerns all of them is thrown on. */
export async function unlessRefused(table: TableName, make: () => Promise<TableResult>): Promise<TableResult> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof GridError) || !OF_ONE_TABLE.has(error.code)) throw error;
    const { code, message } = error;
    return {
      name: readableName(table.database, table.name),
      outcome: 'refused',
      columnsAdded: [],
      notes: [],
      shows: [],
      problem: { code, message },
    };
  }
}
