import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import type { CompactionDiscardRequest } from '../../workflows/compaction/contract.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { ReadingsDirectory } from '../readings/readings-directory.ts';
import { dropSegmentTables, type SegmentDirectory } from '../readings/segment/read-segment.ts';
import { Snapshots } from '../readings/snapshot/snapshots.ts';
import { dropCompactionTables } from '../readings/snapshot/view-statements.ts';
import { dropWritingStatements } from './statements.ts';
import { CompactionWork } from './work-files.ts';

/** Tasks of a statement that was cancelled see it within this time, or when they find their directory gone. */
const QUIET_MS = 1_000;
const MOST_LOOKS = 30;

/** Removes what a compaction has worked with; and what it has written, unless a snapshot shows it. */
export async function discardCompaction(
  deps: ReadingsDependencies,
  { run: { id }, isInterrupted }: CompactionDiscardRequest,
  signal: AbortSignal,
): Promise<void> {
  const { hdfs, hive, workDatabase } = deps;
  const work = new CompactionWork(deps, id);
  // A snapshot whose outcome nobody knows is not put in place after this.
  await hdfs.delete(new ReadingsDirectory(deps).temporary(id));
  const isShown = await isPublished(deps, id);
  for (let look = 1; ; look++) {
    const segments = await namesIn(hdfs, work.compaction.segment);
    const writings = await namesIn(hdfs, work.compaction.days);
    for (const statement of [
      ...segments.flatMap((name) => dropSegmentTables(workDatabase, `${id}_${name}`)),
      ...writings.flatMap((name) => dropWritingStatements(workDatabase, `${id}_${name}`)),
      ...(isShown ? [] : dropCompactionTables(deps, id)),
    ]) {
      await hive.execute(statement, { signal });
    }
    const paths = isShown
      ? [work.directory, ...segments.flatMap((name) => unreadFrom(work.segment(name)))]
      : [work.compaction.path];
    let wasThere = false;
    for (const path of paths) wasThere = (await hdfs.delete(path, { recursive: true })) || wasThere;
    if (!isInterrupted || !wasThere || look === MOST_LOOKS) return;
    await pause(QUIET_MS, signal);
  }
}

/** What nobody reads once the days are written. */
function unreadFrom({ rowsDirectory, othersDirectory }: SegmentDirectory): readonly string[] {
  return [rowsDirectory, othersDirectory];
}

async function namesIn(hdfs: HdfsClient, path: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of entriesIfThere(hdfs.list(path))) if (/^\w{1,64}$/.test(name)) names.push(name);
  return names;
}

async function isPublished(deps: ReadingsDependencies, id: string): Promise<boolean> {
  const { manifest } = new CompactionWork(deps, id).compaction;
  if ((await deps.hdfs.status(manifest)) === undefined) return false;
  const snapshots = new Snapshots(deps.hdfs, new ReadingsDirectory(deps));
  for (const { number } of [...(await snapshots.numbers())].reverse()) {
    if ((await snapshots.read(number))?.compaction === id) return true;
  }
  return false;
}
