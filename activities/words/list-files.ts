import type { FileStatus, HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../grid/errors.ts';

/** A count that lists more is to be made of a part at a time. */
const MOST_FILES = 100_000;
const MOST_DEPTH = 64;

/**
 * All files at or below a path, in HDFS's order.
 *
 * @throws GridError `not-countable`: nothing is there, or too much
 */
export async function listFiles(hdfs: HdfsClient, root: string, signal: AbortSignal): Promise<readonly FileStatus[]> {
  const status = await hdfs.status(root);
  if (status === undefined) {
    throw new GridError(
      'not-countable',
      `Counting the words of ${root}: HDFS has no such file or directory. Name one that is there.`,
    );
  }
  if (status.type === 'file') return [status];
  const files: FileStatus[] = [];
  const walk = async (directory: string, depth: number): Promise<void> => {
    if (depth > MOST_DEPTH) throw tooMuch(root, `directories nested deeper than ${MOST_DEPTH}`);
    const below: string[] = [];
    for await (const entry of hdfs.list(directory)) {
      signal.throwIfAborted();
      if (entry.type === 'directory') below.push(entry.path);
      else if (files.push(entry) > MOST_FILES) throw tooMuch(root, `more than ${MOST_FILES} files`);
    }
    for (const path of below) await walk(path, depth + 1);
  };
  await walk(root, 0);
  return files;
}

function tooMuch(root: string, what: string): GridError {
  return new GridError(
    'not-countable',
    `Counting the words of ${root}: it has ${what}, more than one count takes. Count its directories one by one, or pack its files.`,
  );
}
