import { entriesIfThere, type HdfsClient } from '../../connectors/hdfs/hdfs.ts';

/** More are not counted: it would take minutes. */
const MOST_ENTRIES = 100_000;
const MOST_DEPTH = 64;

export interface Figures {
  readonly files: number;
  readonly bytes: number;
}

/** How many files of how many bytes a table over directories reads, from listings alone; undefined when there are too many to be counted. */
export async function filesBelow(
  hdfs: HdfsClient,
  directories: readonly string[],
  signal: AbortSignal,
): Promise<Figures | undefined> {
  let files = 0;
  let bytes = 0;
  let entries = 0;
  const pending = directories.map((path) => ({ path, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.depth > MOST_DEPTH) return undefined;
    for await (const { name, path, type, lengthBytes } of entriesIfThere(hdfs.list(next.path))) {
      signal.throwIfAborted();
      if (++entries > MOST_ENTRIES) return undefined;
      // As every Hadoop reader does.
      if (/^[._]/.test(name)) continue;
      if (type === 'directory') pending.push({ path, depth: next.depth + 1 });
      else {
        files++;
        bytes += lengthBytes;
      }
    }
  }
  return { files, bytes };
}
