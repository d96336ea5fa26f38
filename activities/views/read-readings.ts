import { GridError } from '../../grid/errors.ts';
import type { ReadReadings, ViewsWork } from '../../workflows/views/contract.ts';
import { BuildDirectory } from './build-directory.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { readOthers } from '../readings/read-others.ts';
import { countQuery, databaseStatement, othersReadStatement, readingTables, readStatement } from './statements.ts';

/**
 * Lets Hive read the planned files into a table of readings. Lines of another than the canonical form are read here, as the sink has read them.
 * Each try makes tables of its own.
 *
 * @throws GridError `master-data-incomplete`: there are not as many readings as the commit log says
 */
export async function readReadings(
  { hdfs, hive, database, analysisDirectory, topic, topicsDirectory }: ViewsDependencies,
  { run: { buildId }, plan }: ViewsWork,
  signal: AbortSignal,
): Promise<ReadReadings> {
  const build = new BuildDirectory(hdfs, analysisDirectory, buildId);
  const planned = build.of('plan', plan);
  const call = { signal };
  const { readings } = await planned.readPlan();
  const directory = await build.begin('read');
  const tables = { database, buildId, tryName: directory.name };
  await hive.execute(databaseStatement(tables), call);
  const dialect = await hive.dialect(call);
  const places = { links: planned.links, othersDirectory: directory.othersDirectory };
  for (const statement of await readingTables(tables, dialect, places)) await hive.execute(statement, call);
  await hive.execute(readStatement(tables, dialect), call);
  const [[canonical, placed] = []] = await hive.rows(countQuery(tables), call);
  const others = await readOthers(hdfs, directory, signal);
  if (others.lines > 0) {
    await hive.execute(othersReadStatement(tables, directory.othersReadDirectory), call);
  }
  const found = Number(canonical) + others.lines;
  if (found !== readings || placed !== canonical) {
    throw new GridError(
      'master-data-incomplete',
      `Reading the files of ${topicsDirectory}/${topic} for batch views: Hive found ${found} readings (${placed ?? 0} in files with offsets in their names), and the commit log names ${readings}. Look for files that were removed or changed by hand: ${topicsDirectory}/${topic}/_commits tells each with its length. Nothing was published.`,
    );
  }
  return { otherForms: others.lines, unreadable: others.unreadable, read: directory.name };
}
