import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { CommittedFile } from '../../../connectors/hdfs/commit-log/commit-record.ts';

/**
 * Whether a committed file lies at `path`, with its length and checksum; false when nothing does.
 *
 * @throws GridError `commit-log-corrupt`: something else lies there.
 */
export async function isInPlace(hdfs: HdfsPort, file: CommittedFile, path: string): Promise<boolean> {
  const status = await hdfs.status(path);
  if (status === undefined) return false;
  const found =
    status.type === 'file' ? await hdfs.checksum(path) : { algorithm: 'none, since it is a', hex: status.type };
  if (status.lengthBytes === file.lengthBytes && `${found.algorithm}:${found.hex}` === file.checksum) return true;
  throw new GridError(
    'commit-log-corrupt',
    `Publishing ${file.path}: another file lies at ${path} (${status.lengthBytes} bytes, ${found.algorithm}:${found.hex}) than the commit log names (${file.lengthBytes} bytes, ${file.checksum}). Move it away; nothing is overwritten.`,
  );
}
