import { GridError } from '../../../grid/errors.ts';
import type { FileStatus } from '../port.ts';
import { parentOf } from '../path.ts';

export interface RefusedWrite {
  readonly path: string;
  readonly createParent: boolean;
  readonly overwrite: boolean;
  readonly status: (path: string) => Promise<FileStatus | undefined>;
  /** Whether what lies at the path is what was to be written. */
  readonly isWritten: () => Promise<boolean>;
}

/**
 * What a broken connection most likely hides. A DataNode that refuses a file answers and closes the connection; while bytes are still on
 * their way to it, the system throws its answer away for the reset that follows. What it would have said can be seen at the NameNode:
 * the directory is missing, or something else stands there. Where neither can be told for certain, `error` stays.
 */
export async function lostRefusal(error: unknown, write: RefusedWrite): Promise<unknown> {
  if (!(error instanceof GridError) || error.code !== 'hdfs-unavailable') return error;
  const { path, createParent, overwrite, status, isWritten } = write;
  try {
    if (!createParent && (await status(parentOf(path))) === undefined) {
      return new GridError(
        'hdfs-not-found',
        `CREATE ${path}: its directory is not there. Look at it before going on.`,
        {
          cause: error,
        },
      );
    }
    const found = overwrite ? undefined : await status(path);
    // A file of ours that was cut has no length yet; one that is whole is what was sent.
    const isAnother =
      found?.type === 'directory' || (found !== undefined && found.lengthBytes > 0 && !(await isWritten()));
    if (found !== undefined && isAnother) {
      return new GridError(
        'hdfs-already-exists',
        `CREATE ${path}: a ${found.type} of this name is there. Look at it before going on.`,
        { cause: error },
      );
    }
  } catch {
    // The NameNode does not tell either.
  }
  return error;
}
