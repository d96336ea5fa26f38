import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import type { GridError } from '../../../grid/errors.ts';
import type { OnCommitPoint } from './commit-point.ts';
import type { CommitRecord, CommittedFile } from '../../../connectors/hdfs/commit-log/commit-record.ts';
import { isInPlace } from './file-in-place.ts';
import type { PartitionLayout } from '../../../connectors/hdfs/commit-log/layout.ts';
import { isFinal, SetAside } from './set-aside.ts';

/**
 * Renames the data files that a commit record names to their final names. Can be repeated: a file that is at its place
 * already, with the right length and checksum, is done. One that cannot be published however often it is tried is set aside
 * ({@link SetAside}), so that it does not hold up all that comes after.
 *
 * @param owner who publishes: not always the record's own.
 * @returns an alarm for each file that was set aside.
 * @throws GridError `fenced` when a file lies nowhere that this owner may reach: a newer owner is publishing it.
 */
export async function publishDataFiles(
  hdfs: HdfsPort,
  layout: PartitionLayout,
  record: CommitRecord,
  owner: string,
  onPoint: OnCommitPoint,
): Promise<GridError[]> {
  const alarms: GridError[] = [];
  const stillOwns = async (): Promise<boolean> => (await hdfs.status(layout.ownerDirectory(owner))) !== undefined;
  for (const file of record.files) {
    let outcome = await publishDataFile(hdfs, layout, file);
    if (outcome !== 'published') {
      // A NameNode that is just starting refuses everything. Once it answers another question it is asked again, and taken at its word.
      await stillOwns();
      outcome = await publishDataFile(hdfs, layout, file);
    }
    if (outcome !== 'published') {
      const refusal = outcome === 'missing' ? undefined : outcome;
      alarms.push(await new SetAside(hdfs, layout).keep(record, file, refusal, stillOwns));
    }
    onPoint('data-file-published');
  }
  onPoint('data-files-published');
  return alarms;
}

async function publishDataFile(
  hdfs: HdfsPort,
  layout: PartitionLayout,
  file: CommittedFile,
): Promise<'published' | 'missing' | GridError> {
  const { temporaryPath, path } = file;
  try {
    if (await hdfs.rename(temporaryPath, path)) return 'published';
    if (await isInPlace(hdfs, file, path)) return 'published';
    await hdfs.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    if (await hdfs.rename(temporaryPath, path)) return 'published';
    if (await hdfs.rename(layout.fencedTemporary(temporaryPath), path)) return 'published';
    return (await isInPlace(hdfs, file, path)) ? 'published' : 'missing';
  } catch (error) {
    if (isFinal(error)) return error;
    throw error;
  }
}
