import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import { BuildDirectory } from './build-directory.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { dropTables } from './discard-build.ts';
import { dropRelations } from './publish-statements.ts';

/** No build takes so long; a statement may run for a day at most (HIVE_CALL_TIMEOUT_MS). */
const ABANDONED_AFTER_MS = 30 * 86_400_000;
/** So many at a time; the next build goes on. */
const MOST = 20;

/** Removes what builds have left that were terminated, so that nothing of them was cleared away. */
export async function sweepLeftovers(
  { hdfs, hive, serving, database, analysisDirectory }: ViewsDependencies,
  signal: AbortSignal,
): Promise<void> {
  let swept = 0;
  for await (const { name, path, modifiedAtMs } of entriesIfThere(hdfs.list(`${analysisDirectory}/views`))) {
    if (!/^\w{1,64}$/.test(name) || modifiedAtMs > Date.now() - ABANDONED_AFTER_MS) continue;
    if (++swept > MOST) return;
    await serving.query(dropRelations({ schema: serving.schema, buildId: name }));
    const directory = new BuildDirectory(hdfs, analysisDirectory, name);
    await dropTables(hive, { database, buildId: name, directory }, signal);
    await hdfs.delete(path, { recursive: true });
  }
}
