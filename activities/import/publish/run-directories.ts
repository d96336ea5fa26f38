import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import type { SourceName, TableId } from '../../../grid/history/sql-source.ts';
import { tableDirectory, workRoot } from '../staging/paths.ts';
import { runOf } from './commit.ts';
import { CommitLog } from './commit-log.ts';

/** Nobody is still about to commit what has been lying for so long. */
const ORPHAN_AGE_MS = 86_400_000;

/** Paths of the run directories of a table. */
export async function runDirectories(hdfs: HdfsClient, directory: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>();
  for await (const { name, path } of hdfs.list(directory)) if (name.startsWith('run=')) paths.add(path);
  return paths;
}

/**
 * Deletes directories of runs that were given up between getting their place and being committed: no commit names them, and
 * without a work directory nobody can commit them any more.
 */
export async function removeOrphans(
  hdfs: HdfsClient,
  importsDirectory: string,
  source: SourceName,
  table: TableId,
): Promise<void> {
  const orphans: { readonly path: string; readonly runId: string }[] = [];
  for await (const { name, path, modifiedAtMs } of hdfs.list(tableDirectory(importsDirectory, source, table))) {
    if (!name.startsWith('run=') || modifiedAtMs > Date.now() - ORPHAN_AGE_MS) continue;
    const runId = name.slice('run='.length);
    const isWorkedOn = (await hdfs.status(workRoot(importsDirectory, { source, runId }, table))) !== undefined;
    if (!isWorkedOn) orphans.push({ path, runId });
  }
  if (orphans.length === 0) return;
  // Read last: whoever had no work directory before was committed by then, or never will be.
  const newest = await new CommitLog(hdfs, importsDirectory, source, table).newest();
  for (const { path, runId } of orphans) {
    if (runOf(newest, runId) === undefined) await hdfs.delete(path, { recursive: true });
  }
}
