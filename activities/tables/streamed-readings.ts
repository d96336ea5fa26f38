import type { TableResult } from '../../workflows/tables/contract.ts';
import { plural } from '../../grid/figures.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { refreshReadings } from '../readings/refresh-readings.ts';
import { ReadingsDirectory } from '../readings/readings-directory.ts';
import { describeTable } from './metastore.ts';
import { resultOf } from './table-results.ts';

/** What shows the readings of the stream. */
const NAMES = ['readings_raw', 'readings_all', 'readings_offsets'] as const;

/** Lets the views of readings show what is committed now. */
export async function ensureStreamedReadings(deps: ReadingsDependencies, signal: AbortSignal): Promise<TableResult[]> {
  const { hive, database } = deps;
  const tables = NAMES.map((name) => ({ database, name }));
  const before = await Promise.all(tables.map((table) => describeTable(hive, table, { signal })));
  const { newFiles, shownTo } = await refreshReadings(deps, signal);
  const note =
    newFiles === 0
      ? `nothing has come since it was refreshed last; ${plural(shownTo.length, 'partition')}`
      : `${plural(newFiles, 'committed file')} came to it; ${plural(shownTo.length, 'partition')}`;
  return tables.map((table, index) =>
    resultOf(
      table,
      [{ outcome: before[index] === undefined ? 'created' : 'unchanged', columnsAdded: [], notes: [note] }],
      { shows: [`${deps.topicsDirectory}/${deps.topic}`, new ReadingsDirectory(deps).path] },
    ),
  );
}
