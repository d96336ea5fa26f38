import type { TablesActivities } from '../../workflows/tables/contract.ts';
import { withHeartbeats } from '../running/heartbeats.ts';
import type { TablesDependencies } from './dependencies.ts';
import { ensureImportedReadings, IMPORTED_READINGS } from './imported-readings.ts';
import { ensureLegacyTables } from './legacy-tables.ts';
import { ensureStreamedReadings } from './streamed-readings.ts';
import { resultOf, unlessRefused } from './table-results.ts';
import { ensureTextTables } from './text-tables.ts';

/** The activities of `buildHiveTables`, each with what it needs. */
export function createTablesActivities(deps: TablesDependencies): TablesActivities {
  const readings = { database: deps.database, name: IMPORTED_READINGS };
  return {
    ensureTextTables: (input) => withHeartbeats((signal) => ensureTextTables(deps, input, signal)),
    ensureLegacyTables: () => withHeartbeats((signal) => ensureLegacyTables(deps, signal)),
    ensureImportedReadings: () =>
      withHeartbeats(async (signal) => [
        await unlessRefused(readings, async () => {
          const ensured = await ensureImportedReadings(deps, signal);
          const notes = ensured.missing.map((view) => `${view} is left out, since Hive does not have it yet`);
          return resultOf(readings, [ensured], { shows: [...ensured.sources], notes });
        }),
      ]),
    ensureStreamedReadings: () => withHeartbeats((signal) => ensureStreamedReadings(deps.readings, signal)),
  };
}
