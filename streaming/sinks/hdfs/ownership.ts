import { randomUUID } from 'node:crypto';
import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { CommitLog } from './commit-log.ts';
import type { OnCommitPoint } from './commit-point.ts';
import type { CommitRecord, CommittedFile } from './commit-record.ts';
import { isFencedName, type PartitionLayout } from './layout.ts';

/** What taking a partition over resulted in. */
export interface Ownership {
  /** Names this ownership; its temporaries lie in a directory of that name. */
  readonly owner: string;
  /** Where writing goes on. */
  readonly nextOffset: number;
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
  if (last !== undefined) await publishDataFiles(hdfs, layout, last, onPoint);
  onPoint('renames-finished');

  // Only those: one that was fenced since then may hold files of a commit that is newer than the record read above.
  for (const directory of fenced) await hdfs.delete(directory, { recursive: true });
  onPoint('fenced-deleted');
  return { owner, nextOffset: last === undefined ? 0 : last.lastOffset + 1 };
}

/**
 * Renames the data files that a commit record names to their final names. Can be repeated: a file that is at its place
 * already, with the right length and checksum, is done.
 *
 * @throws GridError `fenced` when a file lies nowhere that this owner may reach: a newer owner is publishing it;
 *   `commit-log-corrupt` when something else lies in its place.
 */
export async function publishDataFiles(
  hdfs: HdfsPort,
  layout: PartitionLayout,
  record: CommitRecord,
  onPoint: OnCommitPoint,
): Promise<void> {
  for (const file of record.files) {
    await publishDataFile(hdfs, layout, file);
    onPoint('data-file-published');
  }
  onPoint('data-files-published');
}

async function publishDataFile(hdfs: HdfsPort, layout: PartitionLayout, file: CommittedFile): Promise<void> {
  if (await hdfs.rename(file.temporaryPath, file.path)) return;
  if (await isInPlace(hdfs, file)) return;
  await hdfs.makeDirectory(file.path.slice(0, file.path.lastIndexOf('/')));
  if (await hdfs.rename(file.temporaryPath, file.path)) return;
  if (await hdfs.rename(layout.fencedTemporary(file.temporaryPath), file.path)) return;
  if (await isInPlace(hdfs, file)) return;
  throw new GridError(
    'fenced',
    `Publishing ${file.path}: it is neither there nor at ${file.temporaryPath}. Most likely another worker has taken the partition over and is publishing it; this one starts again from the log. If this message keeps coming, the file is gone: restore it (${file.lengthBytes} bytes, ${file.checksum}), or read offsets ${file.firstOffset} to ${file.lastOffset} again from Kafka.`,
  );
}

async function isInPlace(hdfs: HdfsPort, file: CommittedFile): Promise<boolean> {
  const status = await hdfs.status(file.path);
  if (status === undefined) return false;
  const checksum = await hdfs.checksum(file.path);
  if (status.lengthBytes === file.lengthBytes && `${checksum.algorithm}:${checksum.hex}` === file.checksum) return true;
  throw new GridError(
    'commit-log-corrupt',
    `Publishing ${file.path}: another file lies there (${status.lengthBytes} bytes, ${checksum.algorithm}:${checksum.hex}) than the commit log names (${file.lengthBytes} bytes, ${file.checksum}). Move it away; nothing is overwritten.`,
  );
}

/** Entries of a directory that holds one entry per owner: few. */
async function names(hdfs: HdfsPort, directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const status of hdfs.list(directory)) found.push(status.name);
  return found;
}
