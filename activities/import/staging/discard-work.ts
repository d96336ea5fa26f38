import { entriesIfThere, type HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { ImportRun } from '../../../workflows/import/activity-contract.ts';
import type { SourceName, TableId } from '../../../grid/history/sql-source.ts';
import type { ImportDependencies } from '../dependencies.ts';
import { withHeartbeats } from '../../running/heartbeats.ts';
import { sourceWorkDirectory, workRoot } from './paths.ts';

/** A run's unpublished work on one table, wherever it was found. */
export interface FoundWork {
  readonly path: string;
  readonly runId: string;
  readonly modifiedAtMs: number;
}

/** Deletes what a run has unpublished: of these tables, or of all. What is not there is fine. */
export async function discardWork(
  deps: ImportDependencies,
  { run, tables }: { readonly run: ImportRun; readonly tables?: readonly TableId[] },
): Promise<void> {
  await withHeartbeats(async (signal) => {
    const { hdfs, options } = deps;
    if (tables !== undefined) {
      for (const table of tables) {
        signal.throwIfAborted();
        await deleteWork(hdfs, workRoot(options.importsDirectory, run, table));
      }
      return;
    }
    for await (const { path, runId } of workOf(hdfs, options.importsDirectory, run.source)) {
      signal.throwIfAborted();
      if (runId === run.runId) await deleteWork(hdfs, path);
    }
  });
}

/** Unpublished work of all runs on a source's tables. */
export async function* workOf(
  hdfs: HdfsClient,
  importsDirectory: string,
  source: SourceName,
): AsyncGenerator<FoundWork, void, undefined> {
  for await (const table of entriesIfThere(hdfs.list(sourceWorkDirectory(importsDirectory, source)))) {
    if (table.type !== 'directory') continue;
    for await (const { path, name, modifiedAtMs } of entriesIfThere(hdfs.list(table.path)))
      yield { path, runId: name, modifiedAtMs };
  }
}

/** Deletes a run's work on a table, and the table's directory when nobody else works on it. */
export async function deleteWork(hdfs: HdfsClient, path: string): Promise<void> {
  await hdfs.delete(path, { recursive: true });
  try {
    await hdfs.delete(path.slice(0, path.lastIndexOf('/')));
  } catch (error) {
    // Not empty: others work on the table.
    if (!(error instanceof GridError && error.code === 'hdfs-refused')) throw error;
  }
}
