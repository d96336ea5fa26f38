import { pause } from '../../runtime/waiting/pause.ts';
import type { DiscardRequest } from '../../workflows/views/contract.ts';
import { BuildDirectory } from './build-directory.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { dropRelations } from './publish-statements.ts';
import { dropStatements } from './statements.ts';

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
    for (const statement of dropStatements({ database, buildId })) await hive.execute(statement, { signal });
    const wasThere = await directory.remove();
    if (!isInterrupted || !wasThere || look === MOST_LOOKS) return;
    await pause(QUIET_MS, signal);
  }
}
