import { pause } from '../../runtime/waiting/pause.ts';
import type { DiscardRequest } from '../../workflows/views/contract.ts';
import { BuildDirectory } from './build-directory.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { dropRelations } from './publish-statements.ts';
import { dropStatements } from './statements.ts';

/** Drops the tables of all tries of a build. */
export async function dropTables(
  hive: ViewsDependencies['hive'],
  {
    database,
    buildId,
    directory,
  }: { readonly database: string; readonly buildId: string; readonly directory: BuildDirectory },
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of await directory.tries()) {
    for (const statement of dropStatements({ database, buildId, tryName: name }))
      await hive.execute(statement, { signal });
  }
}

/** Tasks of a statement that was cancelled see it within this time, or when they find their directory gone. */
const QUIET_MS = 1_000;
const MOST_LOOKS = 30;

/** Removes what a build has worked with. */
export async function discardBuild(
  { hdfs, hive, serving, database, analysisDirectory }: ViewsDependencies,
  { run: { buildId }, isInterrupted }: DiscardRequest,
  signal: AbortSignal,
): Promise<void> {
  const directory = new BuildDirectory(hdfs, analysisDirectory, buildId);
  await serving.query(dropRelations({ schema: serving.schema, buildId }));
  for (let look = 1; ; look++) {
    await dropTables(hive, { database, buildId, directory }, signal);
    const wasThere = await directory.remove();
    if (!isInterrupted || !wasThere || look === MOST_LOOKS) return;
    await pause(QUIET_MS, signal);
  }
}
