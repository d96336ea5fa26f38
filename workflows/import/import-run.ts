import type { ImportRun } from './activity-contract.ts';
import type { TableId } from '../../grid/history/sql-source.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

/**
 * The run without what is only about finding the tables: it is the input of thousands of activities, and the names of
 * thousands of tables in each would make the history too large.
 */
export function withFoundTables(run: ImportRun): ImportRun {
  const { tables: _, ...input } = run.input;
  return { ...run, input: { ...input, exclude: [] } };
}

/** The run with only what its input says of this table. */
export function runFor(run: ImportRun, table: TableId): ImportRun {
  const { cursor, telemetry, ...input } = run.input;
  const names = [table.name, nameOfTable(table)];
  const ofTable = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
  return {
    ...run,
    input: {
      ...input,
      ...(cursor === undefined ? {} : { cursor: typeof cursor === 'string' ? cursor : ofTable(cursor) }),
      ...(telemetry === undefined ? {} : { telemetry: ofTable(telemetry) }),
    },
  };
}
