import { crc32 } from 'node:zlib';
import { GridError } from '../../../grid/errors.ts';
import { CommittedFiles } from '../committed-files.ts';
import type { ReadingsDependencies } from '../dependencies.ts';
import { writeFileList } from '../file-list.ts';
import { offsetsOf, type Reached } from '../snapshot/snapshot.ts';

/** A commit record that was listed and then folded is looked for again. */
const MOST_LOOKS = 5;

/** The committed files beyond a vector; their list lies in HDFS. */
export interface PlannedSegment {
  /** To the end of which commit, in partitions that have one beyond the vector. */
  readonly upTo: Reached[];
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
  /** Sum over all records of a checksum of the file that each is in: what Hive must come to as well. */
  readonly placing: string;
}

/** Lists the committed files beyond a vector, whatever days their readings are of. */
export async function planSegment(
  { hdfs, topicsDirectory, topic }: ReadingsDependencies,
  { beyond, linksDirectory }: { readonly beyond: readonly Reached[]; readonly linksDirectory: string },
  signal: AbortSignal,
): Promise<PlannedSegment> {
  return whileFolding(plan);

  async function plan(): Promise<PlannedSegment> {
    const figures = { files: 0, bytes: 0, records: 0 };
    let placing = 0n;
    const upTo: Reached[] = [];
    const committed = new CommittedFiles(hdfs, topicsDirectory, topic);
    const offsets = offsetsOf(beyond);
    await writeFileList(hdfs, linksDirectory, paths(), signal);
    return { upTo, ...figures, placing: String(placing) };

    async function* paths(): AsyncGenerator<string, void, undefined> {
      for (const partition of await committed.partitions()) {
        const from = (offsets.get(partition) ?? -1) + 1;
        let lastOffset: number | undefined;
        for await (const commit of committed.commits(partition, from)) {
          signal.throwIfAborted();
          if (commit.firstOffset < from) continue;
          lastOffset = commit.lastOffset;
          for (const file of commit.files) {
            figures.files++;
            figures.bytes += file.lengthBytes;
            figures.records += file.records;
            placing += BigInt(file.records) * BigInt(crc32(`${partition}+${file.firstOffset}`));
            yield file.path;
          }
        }
        if (lastOffset !== undefined) upTo.push({ partition, lastOffset });
      }
    }
  }
}

/** Whether something is committed beyond a vector; few calls where there is not. */
export async function isAnythingBeyond(
  { hdfs, topicsDirectory, topic }: ReadingsDependencies,
  vector: readonly Reached[],
  signal: AbortSignal,
): Promise<boolean> {
  const committed = new CommittedFiles(hdfs, topicsDirectory, topic);
  const offsets = offsetsOf(vector);
  return whileFolding(async () => {
    for (const partition of await committed.partitions()) {
      signal.throwIfAborted();
      const from = (offsets.get(partition) ?? -1) + 1;
      for await (const commit of committed.commits(partition, from)) if (commit.firstOffset >= from) return true;
    }
    return false;
  });
}

async function whileFolding<T>(look: () => Promise<T>): Promise<T> {
  for (let looks = 1; ; looks++) {
    try {
      return await look();
    } catch (error) {
      const isFolded = error instanceof GridError && error.code === 'hdfs-not-found';
      if (!isFolded || looks === MOST_LOOKS) throw error;
    }
  }
}
