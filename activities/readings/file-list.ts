import { createInterface } from 'node:readline';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { ListedFiles } from '../../connectors/hive/hive.ts';

/** The list is written in pieces of this size. */
const PIECE_CHARACTERS = 256 * 1024;

/** Name of the list in its directory. */
export const FILE_LIST = 'files';

/** A list of a hundred thousand long paths fits. */
const MOST_BYTES = 64 << 20;

/** What {@link writeFileList} wrote. */
export function listedFiles(hdfs: HdfsClient, linksDirectory: string): ListedFiles {
  return {
    directory: linksDirectory,
    paths: async () => {
      const list = await hdfs.readFile(`${linksDirectory}/${FILE_LIST}`, { maxBytes: MOST_BYTES });
      return list.toString().split('\n').slice(0, -1);
    },
  };
}

/** Writes the list of files that a table over lines reads, in place of what its directory held. */
export async function writeFileList(
  hdfs: HdfsClient,
  linksDirectory: string,
  paths: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  await hdfs.delete(linksDirectory, { recursive: true });
  const writer = await hdfs.create(`${linksDirectory}/${FILE_LIST}`, { createParent: true, overwrite: true });
  try {
    let piece = '';
    for await (const path of paths) {
      signal.throwIfAborted();
      piece += `${path}\n`;
      if (piece.length < PIECE_CHARACTERS) continue;
      await writer.write(Buffer.from(piece));
      piece = '';
    }
    if (piece !== '') await writer.write(Buffer.from(piece));
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The paths of a list. */
export async function* readFileList(hdfs: HdfsClient, path: string): AsyncGenerator<string, void, undefined> {
  const lines = createInterface({ input: await hdfs.read(path), crlfDelay: Infinity });
  for await (const line of lines) if (line !== '') yield line;
}
