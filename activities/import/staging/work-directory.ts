import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { entriesIfThere, ifThere, type HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { ImportRun } from '../../../workflows/import/activity-contract.ts';
import type { SourceSnapshot, TableId } from '../../../grid/history/sql-source.ts';
import { splitOfFile, workRoot } from './paths.ts';
import { isAtSnapshot, splitRecordSchema, workPlanSchema, type SplitRecord, type WorkPlan } from '../plan/work-plan.ts';

export * from './paths.ts';
export { isAtSnapshot, planIdOf, type SplitRecord, type WorkPlan } from '../plan/work-plan.ts';

/** A plan of 100,000 splits and 1,600 columns has some 10 MB. */
const MAX_PLAN_BYTES = 64 << 20;
const MAX_RECORDS_BYTES = 64 << 20;
/** Record files that are read at once. */
const PARALLEL_READS = 8;

const recordsFileSchema = z.object({ planId: z.string(), records: z.array(splitRecordSchema) });
const PLAN_FILE = /^plan-(\d+)\.json$/;
const RECORDS_FILE = /^(\d+)-(\d+)\.[0-9a-f-]+\.json$/;

/** A file of `data/` as the NameNode lists it. */
export interface DataFile {
  readonly fileId: number;
  readonly lengthBytes: number;
}

/** Records of a range of splits, in one file. */
interface RecordsFile {
  readonly path: string;
  readonly records: readonly SplitRecord[];
}

/**
 * What a run has unpublished of a table, in HDFS:
 * `plan-<number>.json` – what was decided ({@link WorkPlan}); the highest number counts, so that there is one at any moment;
 * `splits/<from>-<to>.<unique>.json` – records of the splits that are done ({@link SplitRecord}). Files are only added, under
 * names that nobody else uses, and each record states a fact, so whoever writes them, in whatever order, harms nobody;
 * `attempts/<from>-<to>.<unique>/` – a directory of each attempt at a stretch of splits, with the files it is writing;
 * `data/part-00000.tsv.gz` – verified files, one a split that has rows.
 */
export class WorkDirectory {
  readonly root: string;
  readonly dataDirectory: string;
  readonly attemptsDirectory: string;
  readonly recordsDirectory: string;
  readonly #hdfs: HdfsClient;

  constructor(hdfs: HdfsClient, importsDirectory: string, run: Pick<ImportRun, 'source' | 'runId'>, table: TableId) {
    this.#hdfs = hdfs;
    this.root = workRoot(importsDirectory, run, table);
    this.dataDirectory = `${this.root}/data`;
    this.attemptsDirectory = `${this.root}/attempts`;
    this.recordsDirectory = `${this.root}/splits`;
  }

  /** Undefined: the run has no work on this table. @throws GridError `defect`: not a plan. */
  readPlan(): Promise<WorkPlan | undefined> {
    return readWorkPlan(this.#hdfs, this.root);
  }

  /** Keeps the plan, over an earlier one, and makes the directories for the work. */
  async writePlan(plan: WorkPlan): Promise<void> {
    const directories = [this.dataDirectory, this.attemptsDirectory, this.recordsDirectory];
    await Promise.all(directories.map((directory) => this.#hdfs.makeDirectory(directory)));
    const written = `${this.root}/.plan.${randomUUID()}.json`;
    await this.#hdfs.writeFile(written, Buffer.from(JSON.stringify(plan)));
    for (;;) {
      const earlier = await planFiles(this.#hdfs, this.root);
      const number = (earlier.at(-1)?.number ?? 0) + 1;
      if (await this.#hdfs.rename(written, `${this.root}/plan-${String(number).padStart(6, '0')}.json`)) {
        for (const { path } of earlier) await this.#hdfs.delete(path);
        return;
      }
      if ((await this.#hdfs.status(written)) === undefined) {
        throw new GridError(
          'fenced',
          `Keeping the plan in ${this.root}: the directory was deleted meanwhile. Another attempt has taken over.`,
        );
      }
    }
  }

  /**
   * The record of each split of the plan that has one. Of several the one counts whose file lies in `directory` (by default `data/`), of
   * those one at `snapshot`; else the one that was taken last. Whether the files are there is the caller's to check.
   *
   * @param range only records of these splits, `from` to before `to`
   */
  async readRecords(
    { planId }: Pick<WorkPlan, 'planId'>,
    options: {
      readonly snapshot?: SourceSnapshot;
      readonly directory?: string;
      readonly range?: { readonly from: number; readonly to: number };
    } = {},
  ): Promise<ReadonlyMap<number, SplitRecord>> {
    const [files, present] = await Promise.all([
      this.recordFiles(planId, options.range),
      this.dataFiles(options.directory ?? this.dataDirectory),
    ]);
    return chooseRecords(
      files.flatMap(({ records }) => records),
      present,
      options.snapshot,
    );
  }

  /** The plan's record files that may name a split of `range`. */
  async recordFiles(
    planId: string,
    range?: { readonly from: number; readonly to: number },
  ): Promise<readonly RecordsFile[]> {
    const paths: string[] = [];
    for await (const { name, path } of entriesIfThere(this.#hdfs.list(this.recordsDirectory))) {
      const [, from, to] = RECORDS_FILE.exec(name) ?? [];
      if (from === undefined || to === undefined) continue;
      if (range === undefined || (Number(from) < range.to && Number(to) > range.from)) paths.push(path);
    }
    const files: RecordsFile[] = [];
    for (let at = 0; at < paths.length; at += PARALLEL_READS) {
      const some = paths.slice(at, at + PARALLEL_READS).map(async (path) => {
        const bytes = await ifThere(this.#hdfs.readFile(path, { maxBytes: MAX_RECORDS_BYTES }));
        // Gone since it was listed: whoever deleted it has written a newer one, or given up the whole work.
        if (bytes === undefined) return;
        const file = parsed(recordsFileSchema, bytes, path);
        if (file.planId === planId) files.push({ path, records: file.records });
      });
      await Promise.all(some);
    }
    return files;
  }

  /** Adds records of splits from `from` to before `to`; appears whole or not at all. Answers the path. */
  async writeRecords(planId: string, from: number, to: number, records: readonly SplitRecord[]): Promise<string> {
    const name = `${from}-${to}.${randomUUID()}.json`;
    const written = `${this.recordsDirectory}/.${name}`;
    const path = `${this.recordsDirectory}/${name}`;
    await this.#hdfs.writeFile(written, Buffer.from(JSON.stringify({ planId, records })));
    if (!(await this.#hdfs.rename(written, path))) {
      throw new GridError('fenced', `Writing ${path}: the directory was deleted meanwhile. The work was given up.`);
    }
    return path;
  }

  /** Takes away record files that newer ones make needless. */
  async deleteRecordFiles(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.#hdfs.delete(path);
  }

  /** The splits' files that lie in a directory, by split; none where it is missing. */
  async dataFiles(directory: string = this.dataDirectory): Promise<ReadonlyMap<number, DataFile>> {
    const files = new Map<number, DataFile>();
    for await (const { name, type, fileId, lengthBytes } of entriesIfThere(this.#hdfs.list(directory))) {
      const split = splitOfFile(name);
      if (split !== undefined && type === 'file') files.set(split, { fileId, lengthBytes });
    }
    return files;
  }

  /** Deletes all of it. Who still writes there can publish nothing any more. */
  async delete(): Promise<void> {
    await this.#hdfs.delete(this.root, { recursive: true });
  }
}

/** Whether the file that a record names is the one that lies there; for a split without rows, that none does. */
export function isInPlace(record: SplitRecord, present: ReadonlyMap<number, DataFile>): boolean {
  const file = present.get(record.split);
  if (record.fileId === undefined) return file === undefined;
  return file?.fileId === record.fileId && file.lengthBytes === record.fileBytes;
}

/** Of each split the record that is of most use: see {@link WorkDirectory.readRecords}. */
export function chooseRecords(
  records: readonly SplitRecord[],
  present: ReadonlyMap<number, DataFile>,
  snapshot?: SourceSnapshot,
): ReadonlyMap<number, SplitRecord> {
  const rank = (record: SplitRecord): number =>
    (isInPlace(record, present) ? 2 : 0) + (snapshot !== undefined && isAtSnapshot(record, snapshot) ? 1 : 0);
  const chosen = new Map<number, SplitRecord>();
  for (const record of records) {
    const other = chosen.get(record.split);
    const better =
      other === undefined ||
      rank(record) > rank(other) ||
      (rank(record) === rank(other) && record.takenAt > other.takenAt);
    if (better) chosen.set(record.split, record);
  }
  return chosen;
}

/** The newest plan in a work directory. @throws GridError `defect`: not a plan. */
export async function readWorkPlan(hdfs: HdfsClient, root: string): Promise<WorkPlan | undefined> {
  for (;;) {
    const newest = (await planFiles(hdfs, root)).at(-1);
    if (newest === undefined) return undefined;
    const bytes = await ifThere(hdfs.readFile(newest.path, { maxBytes: MAX_PLAN_BYTES }));
    if (bytes !== undefined) return parsed(workPlanSchema, bytes, newest.path);
    // A newer one has replaced it since it was listed, or all of it was deleted.
  }
}

/** Plans by number. */
async function planFiles(
  hdfs: HdfsClient,
  root: string,
): Promise<readonly { readonly path: string; readonly number: number }[]> {
  const files: { path: string; number: number }[] = [];
  for await (const { name, path } of entriesIfThere(hdfs.list(root))) {
    const number = PLAN_FILE.exec(name)?.[1];
    if (number !== undefined) files.push({ path, number: Number(number) });
  }
  return files.sort((a, b) => a.number - b.number);
}

function parsed<T>(schema: z.ZodType<T>, bytes: Buffer, path: string): T {
  const problem = (detail: string, cause?: unknown): GridError =>
    new GridError(
      'defect',
      `Reading ${path}: it is not what an import writes there (${detail}). Delete the directory of that run and start the import again.`,
      { cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw problem('no JSON', error);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw problem(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, result.error);
}
