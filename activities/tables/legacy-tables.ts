import type { TableResult } from '../../workflows/tables/contract.ts';
import { telemetryLegacy, telemetryLegacyRows, textLegacy } from './definitions.ts';
import type { TablesDependencies } from './dependencies.ts';
import { ensureTable } from './ensure-table.ts';
import { ensureView, type Ensured, type ViewDefinition } from './ensure-view.ts';
import { filesBelow } from './files-below.ts';
import type { TableDefinition } from './table-definition.ts';
import { leftOut, resultOf, unlessRefused } from './table-results.ts';

/** Makes the tables over what discovery has landed, or brings them up to date. */
export async function ensureLegacyTables(
  deps: Omit<TablesDependencies, 'readings'>,
  signal: AbortSignal,
): Promise<TableResult[]> {
  const { database, unorganizedDirectory } = deps;
  return [
    await ensureLanded(deps, textLegacy(database, unorganizedDirectory), undefined, signal),
    await ensureLanded(deps, telemetryLegacyRows(database, unorganizedDirectory), telemetryLegacy(database), signal),
  ];
}

/** @param view that is queried in place of the table */
async function ensureLanded(
  { hdfs, hive }: Omit<TablesDependencies, 'readings'>,
  definition: TableDefinition,
  view: ViewDefinition | undefined,
  signal: AbortSignal,
): Promise<TableResult> {
  const { location } = definition;
  const queried = view ?? definition;
  return unlessRefused(queried, async () => {
    // Asked first: Hive would make it.
    if ((await hdfs.status(location)) === undefined) {
      return leftOut(queried, `${location} is not there yet; discoverLegacyFiles lands what it finds there`);
    }
    const parts: Ensured[] = [await ensureTable(hive, definition, { signal })];
    if (view !== undefined) parts.push(await ensureView(hive, () => Promise.resolve(view), { signal }));
    return resultOf(queried, parts, { shows: [location], ...(await filesBelow(hdfs, [location], signal)) });
  });
}
