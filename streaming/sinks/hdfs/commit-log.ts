import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { OnCommitPoint } from './commit-point.ts';
import {
  decodeCheckpoint,
  decodeCommitRecord,
  encodeCheckpoint,
  encodeCommitRecord,
  type CommitRecord,
} from '../../../connectors/hdfs/commit-log/commit-record.ts';
import { MAX_ENTRY_BYTES } from '../../../connectors/hdfs/commit-log/read.ts';
import {
  commitLogEntry,
  type CommitLogEntry,
  type PartitionLayout,
} from '../../../connectors/hdfs/commit-log/layout.ts';

/**
 * The commit log of one partition: a directory whose entries appear by rename only, so each is there whole or not at all,
 * and whose names are given once (put-if-absent).
 */
export class CommitLog {
  readonly #hdfs: HdfsPort;
  readonly #layout: PartitionLayout;
  readonly #onPoint: OnCommitPoint;
  /** Commit records that are not folded yet, oldest first; known after {@link last}. */
  #unfolded: number[] = [];

  constructor(hdfs: HdfsPort, layout: PartitionLayout, onPoint: OnCommitPoint) {
    this.#hdfs = hdfs;
    this.#layout = layout;
    this.#onPoint = onPoint;
  }

  /**
   * The newest commit record, undefined in an empty log. Folding always leaves the newest record unfolded, so it is never
   * to be looked for in a checkpoint.
   *
   * @throws GridError `commit-log-corrupt`
   */
  async last(): Promise<CommitRecord | undefined> {
    await this.#hdfs.makeDirectory(this.#layout.commitsDirectory);
    const entries: CommitLogEntry[] = [];
    for await (const status of this.#hdfs.list(this.#layout.commitsDirectory)) {
      const entry = commitLogEntry(status.name);
      if (entry !== undefined) entries.push(entry);
    }
    this.#unfolded = entries
      .filter((entry) => entry.kind === 'commit')
      .map((entry) => entry.firstOffset)
      .sort((a, b) => a - b);
    const newest = this.#unfolded.at(-1);
    if (newest !== undefined) return this.#read(newest);
    if (entries.length === 0) return undefined;
    throw new GridError(
      'commit-log-corrupt',
      `Reading the commit log ${this.#layout.commitsDirectory}: it has checkpoints but no commit record. Restore the newest record before this partition is written again.`,
    );
  }

  /** Writes the record as a temporary of `owner`; {@link publish} makes it count. */
  async write(record: CommitRecord, owner: string): Promise<void> {
    await this.#hdfs.writeFile(this.#temporary(record.firstOffset, owner), encodeCommitRecord(record));
    this.#onPoint('commit-record-written');
  }

  /**
   * Makes the record count, by renaming it to the name that its range fixes.
   *
   * @throws GridError `commit-lost`: another writer has committed this range, or this owner was fenced.
   */
  async publish(record: CommitRecord, owner: string): Promise<void> {
    const target = this.#layout.commitRecord(record.firstOffset);
    if (!(await this.#hdfs.rename(this.#temporary(record.firstOffset, owner), target))) {
      throw new GridError(
        'commit-lost',
        `Committing offsets ${record.firstOffset} to ${record.lastOffset} as ${target}: another writer was first or has fenced this one. Nothing of this range is published here; the partition starts again from the log.`,
      );
    }
    this.#unfolded.push(record.firstOffset);
    this.#onPoint('commit-record-published');
  }

  get unfoldedCount(): number {
    return this.#unfolded.length;
  }

  /**
   * Folds all records but the newest into a checkpoint and deletes them. Each step can be repeated by a later owner: a
   * checkpoint that is there already wins, and only records that it holds are deleted.
   */
  async fold(owner: string): Promise<void> {
    const folded = this.#unfolded.slice(0, -1);
    const first = folded[0];
    if (first === undefined) return;
    const target = this.#layout.checkpoint(first);
    if ((await this.#hdfs.status(target)) === undefined) {
      const commits: CommitRecord[] = [];
      for (const firstOffset of folded) commits.push(await this.#read(firstOffset));
      const lastOffset = commits.at(-1)?.lastOffset ?? first;
      const temporary = `${this.#layout.ownerDirectory(owner)}/checkpoint-${first}`;
      await this.#hdfs.writeFile(temporary, encodeCheckpoint({ version: 1, firstOffset: first, lastOffset, commits }));
      this.#onPoint('checkpoint-written');
      if (!(await this.#hdfs.rename(temporary, target))) {
        throw new GridError(
          'fenced',
          `Publishing the checkpoint ${target}: this owner was fenced. It starts again from the log.`,
        );
      }
      this.#onPoint('checkpoint-published');
    }
    const checkpoint = decodeCheckpoint(await this.#hdfs.readFile(target, { maxBytes: MAX_ENTRY_BYTES }), target);
    for (const { firstOffset } of checkpoint.commits) {
      await this.#hdfs.delete(this.#layout.commitRecord(firstOffset));
      this.#onPoint('folded-record-deleted');
    }
    this.#unfolded = this.#unfolded.filter((firstOffset) => firstOffset > checkpoint.lastOffset);
  }

  #temporary(firstOffset: number, owner: string): string {
    return `${this.#layout.ownerDirectory(owner)}/commit-${firstOffset}`;
  }

  async #read(firstOffset: number): Promise<CommitRecord> {
    const path = this.#layout.commitRecord(firstOffset);
    return decodeCommitRecord(await this.#hdfs.readFile(path, { maxBytes: MAX_ENTRY_BYTES }), path);
  }
}
