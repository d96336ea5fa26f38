import type { ViewsRun } from '../../workflows/views/contract.ts';
import { BuildDirectory } from './build-directory.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import { addUpStatement, dropStatements, windowsTableStatement } from './statements.ts';

/** Lets Hive add the readings up to windows, which it writes as text into the build's directory. Begun anew by whoever tries it again. */
export async function addUpReadings(
  { hdfs, hive, database, analysisDirectory }: ViewsDependencies,
  { buildId }: ViewsRun,
  signal: AbortSignal,
): Promise<void> {
  const tables = { database, buildId };
  const directory = new BuildDirectory(hdfs, analysisDirectory, buildId);
  const call = { signal };
  const { days, resolutions } = await directory.readPlan();
  const hasOthers = await holdsFiles(entriesIfThere(hdfs.list(directory.othersReadDirectory)));
  const [dropWindows = ''] = dropStatements(tables).slice(-1);
  await hive.execute(dropWindows, call);
  await hdfs.delete(directory.windowsDirectory, { recursive: true });
  await hive.execute(windowsTableStatement(tables, directory.windowsDirectory), call);
  await hive.execute(addUpStatement(tables, { days, resolutions, hasOthers }), call);
}

async function holdsFiles(entries: AsyncIterable<{ readonly lengthBytes: number }>): Promise<boolean> {
  for await (const { lengthBytes } of entries) if (lengthBytes > 0) return true;
  return false;
}
