import type { SplitRangeOfStretch } from './attempt-directory.ts';
import { chooseRecords, isInPlace, type DataFile, type WorkDirectory } from '../staging/work-directory.ts';
import { isAtSnapshot, type SplitRecord, type WorkPlan } from '../plan/work-plan.ts';
import type { SourceSnapshot } from '../../../grid/history/sql-source.ts';

/** Records that wait to be written, at most: they travel in heartbeats, whose size is limited. */
const MAX_PENDING = 32;

/**
 * What is known to be done of a stretch of splits: from `splits/`, from the heartbeats of the attempt before, and by this attempt.
 * New records are `pending` until they are written, which happens a few dozen at a time and at the end.
 */
export class StretchRecords {
  readonly #work: WorkDirectory;
  readonly #plan: WorkPlan;
  readonly #range: SplitRangeOfStretch;
  readonly #present: Map<number, DataFile>;
  readonly #chosen: Map<number, SplitRecord>;
  #pending: SplitRecord[];
  /** Record files whose splits all lie in the range. */
  #filePaths: string[];

  private constructor(fields: {
    work: WorkDirectory;
    plan: WorkPlan;
    range: SplitRangeOfStretch;
    present: ReadonlyMap<number, DataFile>;
    chosen: ReadonlyMap<number, SplitRecord>;
    pending: readonly SplitRecord[];
    filePaths: readonly string[];
  }) {
    this.#work = fields.work;
    this.#plan = fields.plan;
    this.#range = fields.range;
    this.#present = new Map(fields.present);
    this.#chosen = new Map(fields.chosen);
    this.#pending = [...fields.pending];
    this.#filePaths = [...fields.filePaths];
  }

  /** @param inherited records from the heartbeats of the attempt before, which may not have been written */
  static async open(
    work: WorkDirectory,
    plan: WorkPlan,
    range: SplitRangeOfStretch,
    snapshot: SourceSnapshot | undefined,
    inherited: readonly SplitRecord[],
  ): Promise<StretchRecords> {
    const [files, present] = await Promise.all([work.recordFiles(plan.planId, range), work.dataFiles()]);
    const inRange = ({ split }: SplitRecord): boolean => split >= range.from && split < range.to;
    const pending = inherited.filter(inRange);
    const records = [...files.flatMap((file) => file.records), ...pending].filter(inRange);
    return new StretchRecords({
      work,
      plan,
      range,
      present,
      chosen: chooseRecords(records, present, snapshot),
      pending,
      filePaths: files.filter((file) => file.records.every(inRange)).map(({ path }) => path),
    });
  }

  /** Not written yet. */
  get pending(): readonly SplitRecord[] {
    return this.#pending;
  }

  /** What is recorded of a split, if what it says lies in `data/`. */
  done(split: number): SplitRecord | undefined {
    const record = this.#chosen.get(split);
    return record !== undefined && isInPlace(record, this.#present) ? record : undefined;
  }

  /** Whether this split is done, at this snapshot. */
  isDoneAt(split: number, snapshot: SourceSnapshot): boolean {
    const record = this.done(split);
    return record !== undefined && isAtSnapshot(record, snapshot);
  }

  /** Whether a file lies in the split's place. */
  hasFile(split: number): boolean {
    return this.#present.has(split);
  }

  /** Notes what was done, after it was done. */
  async add(record: SplitRecord): Promise<void> {
    this.#chosen.set(record.split, record);
    if (record.fileId === undefined) this.#present.delete(record.split);
    else this.#present.set(record.split, { fileId: record.fileId, lengthBytes: record.fileBytes });
    this.#pending.push(record);
    if (this.#pending.length >= MAX_PENDING) await this.flush();
  }

  /** Writes what is pending. */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const records = this.#pending;
    const { from, to } = this.#range;
    this.#filePaths.push(await this.#work.writeRecords(this.#plan.planId, from, to, records));
    this.#pending = this.#pending.slice(records.length);
  }

  /** Writes what is pending, and all that is known of the stretch in one file in place of several. */
  async finish(): Promise<void> {
    if (this.#pending.length === 0 && this.#filePaths.length <= 1) return;
    const { from, to } = this.#range;
    await this.#work.writeRecords(this.#plan.planId, from, to, [...this.#chosen.values()]);
    this.#pending = [];
    await this.#work.deleteRecordFiles(this.#filePaths);
    this.#filePaths = [];
  }
}
