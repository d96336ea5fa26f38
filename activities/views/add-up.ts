import type { AddedUp, ViewsWork } from '../../workflows/views/contract.ts';
import { BuildDirectory } from './build-directory.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import { addUpStatement, windowsTableStatement } from './statements.ts';

/** Lets Hive add the readings up to windows, which it writes as text into the directory of this try. */
export async function addUpReadings(
  { hdfs, hive, database, analysisDirectory }: ViewsDependencies,
  { run: { buildId }, plan, read }: ViewsWork,
  signal: AbortSignal,
): Promise<AddedUp> {
  const build = new BuildDirectory(hdfs, analysisDirectory, buildId);
  const call = { signal };
  const { days, resolutions } = await build.of('plan', plan).readPlan();
  const readings = build.of('read', read);
  const hasOthers = await holdsFiles(entriesIfThere(hdfs.list(readings.othersReadDirectory)));
  const directory = await build.begin('windows');
  const tables = { database, buildId, tryName: directory.name };
  await hive.execute(windowsTableStatement(tables, directory.windowsDirectory), call);
  const from = { database, buildId, tryName: readings.name };
  await hive.execute(addUpStatement(tables, from, { days, resolutions, hasOthers }), call);
  return { windows: directory.name };
}

async function holdsFiles(entries: AsyncIterable<{ readonly lengthBytes: number }>): Promise<boolean> {
  for await (const { lengthBytes } of entries) if (lengthBytes > 0) return true;
  return false;
}
