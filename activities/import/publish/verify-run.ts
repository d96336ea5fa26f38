import { createHash, randomUUID } from 'node:crypto';
import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { SourceSnapshot, TableId } from '../../../grid/history/sql-source.ts';
import { partFile, splitOfFile } from '../staging/paths.ts';
import { tableName } from '../table-names.ts';
import {
  isAtSnapshot,
  isInPlace,
  type DataFile,
  type SplitRecord,
  type WorkDirectory,
} from '../staging/work-directory.ts';
import type { WorkPlan } from '../plan/work-plan.ts';

export const MANIFEST = '_manifest.json';

/** What the files of a run are, all of them proven to be there. */
export interface RunFigures {
  readonly rows: number;
  readonly textBytes: number;
  readonly fileBytes: number;
  readonly splits: number;
  /** SHA-256 over the digests of the splits, in order. */
  readonly digest: string;
  readonly verified: boolean;
}

/**
 * Proves that a directory holds the splits of the plan at the snapshot, and nothing else that Hive would read: each split has a
 * record of this snapshot, and the file that it names by inode and length.
 *
 * @throws GridError `import-verification-failed`, the first splits that fail named
 */
export async function verifyRun(
  hdfs: HdfsClient,
  work: WorkDirectory,
  {
    plan,
    directory,
    snapshot,
  }: { readonly plan: WorkPlan; readonly directory: string; readonly snapshot: SourceSnapshot },
): Promise<{ readonly figures: RunFigures; readonly records: readonly SplitRecord[] }> {
  const { files, strangers } = await filesIn(hdfs, directory);
  const known = await work.readRecords(plan, { snapshot, directory });
  const splits = plan.plan.splits.length;
  const records: SplitRecord[] = [];
  const problems = strangers.map((name) => `${name} belongs to no split`);
  for (let split = 0; split < splits; split++) {
    const record = known.get(split);
    if (record === undefined) problems.push(`split ${split} is missing`);
    else if (!isAtSnapshot(record, snapshot)) problems.push(`split ${split} is of another snapshot`);
    else if (!isInPlace(record, files)) problems.push(`the file of split ${split} is not the one that was verified`);
    else records.push(record);
  }
  for (const split of files.keys()) if (split >= splits) problems.push(`${partFile(split)} belongs to no split`);
  if (problems.length > 0) {
    const more = problems.length > 5 ? ` and ${problems.length - 5} more` : '';
    throw new GridError(
      'import-verification-failed',
      `Verifying ${directory} before ${tableName(plan.plan.table)} is published: ${problems.slice(0, 5).join(', ')}${more}. The splits are brought again.`,
    );
  }
  return { figures: figuresOf(records), records };
}

/** Sums of a run's splits, given in order. */
export function figuresOf(records: readonly SplitRecord[]): RunFigures {
  const sum = (of: (record: SplitRecord) => number): number => records.reduce((total, record) => total + of(record), 0);
  return {
    rows: sum(({ rows }) => rows),
    textBytes: sum(({ textBytes }) => textBytes),
    fileBytes: sum(({ fileBytes }) => fileBytes),
    splits: records.length,
    digest: createHash('sha256')
      .update(records.map(({ digest }) => digest).join(''))
      .digest('hex'),
    verified: records.every(({ verified }) => verified),
  };
}

/**
 * Writes `_manifest.json`, which says of a run's files, to people and tools, what they hold. Underscored names are hidden from
 * Hive.
 *
 * @param workDirectory where it is written first
 */
export async function writeManifest(
  hdfs: HdfsClient,
  { directory, workDirectory }: { readonly directory: string; readonly workDirectory: string },
  about: {
    readonly table: TableId;
    readonly runId: string;
    readonly plan: WorkPlan;
    readonly snapshot: SourceSnapshot;
  },
  { figures, records }: Awaited<ReturnType<typeof verifyRun>>,
): Promise<void> {
  const { table, runId, plan, snapshot } = about;
  const { columns, key, remarks } = plan.plan;
  const manifest = {
    version: 1,
    table,
    runId,
    product: plan.product,
    database: plan.database,
    snapshot,
    ...figures,
    columns: columns.map(({ name, sourceType, hiveType }) => ({ name, sourceType, hiveType })),
    key,
    remarks,
    files: records
      .filter(({ fileId }) => fileId !== undefined)
      .map(({ split, rows, textBytes, fileBytes, digest, verified }) => ({
        name: partFile(split),
        rows,
        textBytes,
        fileBytes,
        digest,
        verified,
      })),
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest)}\n`);
  const path = `${directory}/${MANIFEST}`;
  // Another attempt at the same writes the same; one of an earlier snapshot has written something else.
  const present = await hdfs.status(path);
  if (present !== undefined) {
    const old = await hdfs.readFile(path, { maxBytes: present.lengthBytes });
    if (old.equals(bytes)) return;
    await hdfs.delete(path);
  }
  const written = `${workDirectory}/manifest.${randomUUID()}.json`;
  await hdfs.writeFile(written, bytes);
  if (!(await hdfs.rename(written, path))) await hdfs.delete(written);
}

/** The splits' files of a directory, and whatever else Hive would read there. */
async function filesIn(
  hdfs: HdfsClient,
  directory: string,
): Promise<{ readonly files: ReadonlyMap<number, DataFile>; readonly strangers: readonly string[] }> {
  const files = new Map<number, DataFile>();
  const strangers: string[] = [];
  for await (const { name, type, fileId, lengthBytes } of hdfs.list(directory)) {
    if (/^[._]/.test(name)) continue;
    const split = splitOfFile(name);
    if (split === undefined || type !== 'file') strangers.push(name);
    else files.set(split, { fileId, lengthBytes });
  }
  return { files, strangers };
}
