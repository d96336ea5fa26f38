import { randomUUID } from 'node:crypto';
import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import type { GridError } from '../../../grid/errors.ts';
import type { CommitLog } from './commit-log.ts';
import type { OnCommitPoint } from './commit-point.ts';
import { isFencedName, type PartitionLayout } from '../../../connectors/hdfs/commit-log/layout.ts';
import { publishDataFiles } from './publication.ts';
import { SetAside } from './set-aside.ts';

/** What taking a partition over resulted in. */
export interface Ownership {
  /** Names this ownership; its temporaries lie in a directory of that name. */
  readonly owner: string;
  /** Where writing goes on. */
  readonly nextOffset: number;
  /** One for each file of the newest commit that was set aside just now. */
  readonly alarms: readonly GridError[];
  /** Files of this partition that are set aside. */
  readonly setAsideFiles: number;
}

/**
 * Takes a partition over, in the only order that is safe:
 *
 * 1. Make the own temporary directory: whoever takes over later will see it and fence it.
 * 2. Fence: rename every other owner's directory. From then on an earlier owner that still lives can publish nothing:
 *    what it creates has no parent, what it renames has no source, what it still streams ends in the fenced directory.
 * 3. Recover: the log can change no more, unless by somebody who fences this owner. Finish the renames that its newest
 *    record names (those of older records were finished before it was written), delete the directories fenced in step 2, and go
 *    on behind the newest record.
 *
 * The own directory comes before the log is read, so no owner can act on a log older than its right to write: two that
 * take over at once fence each other, and both start again.
 */
export async function takeOver(
  hdfs: HdfsPort,
  layout: PartitionLayout,
  log: CommitLog,
  onPoint: OnCommitPoint,
): Promise<Ownership> {
  const owner = randomUUID();
  await hdfs.makeDirectory(layout.ownerDirectory(owner));
  onPoint('owner-directory-made');

  const fenced: string[] = [];
  for (const name of await names(hdfs, layout.temporaryRoot)) {
    if (name === owner) continue;
    if (isFencedName(name)) {
      fenced.push(`${layout.temporaryRoot}/${name}`);
    } else {
      await hdfs.rename(layout.ownerDirectory(name), layout.fencedDirectory(name));
      fenced.push(layout.fencedDirectory(name));
    }
  }
  onPoint('owners-fenced');

  const last = await log.last();
  // What was set aside before comes first: what the newest record adds is just being tried.
  const setAsideBefore = await new SetAside(hdfs, layout).retry();
  const alarms = last === undefined ? [] : await publishDataFiles(hdfs, layout, last, owner, onPoint);
  onPoint('renames-finished');

  // Only those: one that was fenced since then may hold files of a commit that is newer than the record read above.
  for (const directory of fenced) await hdfs.delete(directory, { recursive: true });
  onPoint('fenced-deleted');
  const nextOffset = last === undefined ? 0 : last.lastOffset + 1;
  return { owner, nextOffset, alarms, setAsideFiles: setAsideBefore + alarms.length };
}

/** Entries of a directory that holds one entry per owner: few. */
async function names(hdfs: HdfsPort, directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const status of hdfs.list(directory)) found.push(status.name);
  return found;
}
