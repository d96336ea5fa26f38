import { GridError } from '../../grid/errors.ts';
import type { FileStatus } from './port.ts';

/** What `work` gives, or undefined when what it asks HDFS for is not there (`hdfs-not-found`). */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The entries of a listing; none when the directory is not there. */
export async function* entriesIfThere(entries: AsyncIterable<FileStatus>): AsyncGenerator<FileStatus, void, undefined> {
  try {
    yield* entries;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof GridError && error.code === 'hdfs-not-found';
}
