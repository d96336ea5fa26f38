import type { FileStatus, HdfsPort } from '../port.ts';
import { decodeCheckpoint, decodeCommitRecord, type CommitRecord } from './commit-record.ts';
import { commitLogEntry, type PartitionLayout } from './layout.ts';

/** A commit record with a thousand paths is some 300 kB, and a checkpoint holds hundreds of records. */
export const MAX_ENTRY_BYTES = 256 * 1024 * 1024;

/**
 * Commit records of a partition, folded or not, oldest first: what is published, for audits and batch jobs.
 *
 * @param fromOffset records that end before it may be left out, and are not read where that can be told
 * @throws GridError `commit-log-corrupt`
 */
export async function* readCommitLog(
  hdfs: HdfsPort,
  layout: PartitionLayout,
  fromOffset = 0,
): AsyncGenerator<CommitRecord> {
  const statuses: FileStatus[] = [];
  for await (const status of hdfs.list(layout.commitsDirectory)) statuses.push(status);
  const entries = statuses
    .map((status) => commitLogEntry(status.name))
    .filter((entry) => entry !== undefined)
    // A checkpoint before the records that it folded, which a crash may have left beside it.
    .sort((a, b) => a.firstOffset - b.firstOffset || (a.kind === 'checkpoint' ? -1 : 1));
  let nextOffset = 0;
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'commit' && entry.firstOffset < nextOffset) continue;
    const following = entries[index + 1];
    // What the next entry begins with has been covered up to there, but for a checkpoint whose records still lie beside it.
    if (following !== undefined && following.firstOffset > entry.firstOffset && following.firstOffset <= fromOffset) {
      continue;
    }
    const path = `${layout.commitsDirectory}/${entry.name}`;
    const bytes = await hdfs.readFile(path, { maxBytes: MAX_ENTRY_BYTES });
    const commits = entry.kind === 'commit' ? [decodeCommitRecord(bytes, path)] : decodeCheckpoint(bytes, path).commits;
    for (const commit of commits) {
      // Two checkpoints overlap when a crash came between the deletions of the first.
      if (commit.firstOffset < nextOffset) continue;
      yield commit;
      nextOffset = commit.lastOffset + 1;
    }
  }
}
