import { entriesIfThere, type HdfsPort } from '../hdfs.ts';
import { readCommitLog } from './read.ts';
import { commitLogEntry, PartitionLayout } from './layout.ts';

/** What the commits of a partition have, up to the newest. */
export interface CommittedTotals {
  readonly partition: number;
  readonly nextOffset: number;
  readonly records: number;
  readonly unreadable: number;
  readonly notRouted: number;
  readonly missing: number;
  readonly expired: number;
}

interface KnownFile {
  readonly path: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

interface KnownPartition {
  readonly newestEntry: number;
  readonly totals: CommittedTotals;
  /** The files of each range; the youngest {@link FILES_KNOWN} of a partition, a record's in none before is looked for in the log. */
  readonly files: readonly KnownFile[];
}

/** Some megabytes for a partition at most. */
const FILES_KNOWN = 20_000;

/**
 * Looks into the commit logs of a topic, for whoever shows what lies in HDFS. A log is read anew only when it has a newer entry; questions of the same
 * moment share the reading.
 */
export class CommittedData {
  readonly #hdfs: HdfsPort;
  readonly #topicsDirectory: string;
  readonly #known = new Map<string, KnownPartition>();
  readonly #reading = new Map<string, Promise<KnownPartition | undefined>>();

  constructor(hdfs: HdfsPort, topicsDirectory: string) {
    this.#hdfs = hdfs;
    this.#topicsDirectory = topicsDirectory;
  }

  /** Every partition of a topic that has a commit. @throws GridError `hdfs-…`, `commit-log-corrupt` */
  async totals(topic: string): Promise<readonly CommittedTotals[]> {
    const partitions: number[] = [];
    const directory = `${this.#topicsDirectory}/${topic}/_commits`;
    for await (const { name } of entriesIfThere(this.#hdfs.list(directory))) {
      if (/^\d{1,9}$/.test(name)) partitions.push(Number(name));
    }
    const known = await Promise.all(
      partitions.sort((a, b) => a - b).map((partition) => this.#partition(topic, partition)),
    );
    return known.filter((partition) => partition !== undefined).map(({ totals }) => totals);
  }

  /** The file that a record lies in; undefined before it is committed, and when it was not written. @throws GridError `hdfs-…` */
  async fileOf(topic: string, partition: number, offset: number): Promise<string | undefined> {
    const key = `${topic}/${partition}`;
    let known = this.#known.get(key);
    if (known === undefined || offset >= known.totals.nextOffset) known = await this.#partition(topic, partition);
    if (known === undefined) return undefined;
    // A range has a file for each directory, whose offsets may lie between those of another: which one has the record only its content tells.
    const fitting = known.files.filter((file) => file.firstOffset <= offset && offset <= file.lastOffset);
    return fitting.length === 1 ? fitting[0]?.path : undefined;
  }

  #partition(topic: string, partition: number): Promise<KnownPartition | undefined> {
    const key = `${topic}/${partition}`;
    let reading = this.#reading.get(key);
    if (reading === undefined) {
      reading = this.#read(key, topic, partition).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
    }
    return reading;
  }

  async #read(key: string, topic: string, partition: number): Promise<KnownPartition | undefined> {
    const layout = new PartitionLayout(this.#topicsDirectory, topic, partition);
    const known = this.#known.get(key);
    let newestEntry = -1;
    for await (const { name } of entriesIfThere(this.#hdfs.list(layout.commitsDirectory))) {
      newestEntry = Math.max(newestEntry, commitLogEntry(name)?.firstOffset ?? -1);
    }
    if (newestEntry < 0) return undefined;
    if (known?.newestEntry === newestEntry) return known;
    const totals = { partition, nextOffset: 0, records: 0, unreadable: 0, notRouted: 0, missing: 0, expired: 0 };
    let files: KnownFile[] = [];
    for await (const commit of readCommitLog(this.#hdfs, layout)) {
      totals.nextOffset = commit.lastOffset + 1;
      totals.records += commit.records;
      totals.unreadable += commit.unreadable;
      totals.notRouted += commit.notRouted;
      totals.missing += commit.missing;
      totals.expired += commit.expired;
      files.push(...commit.files.map(({ path, firstOffset, lastOffset }) => ({ path, firstOffset, lastOffset })));
      if (files.length > 2 * FILES_KNOWN) files = files.slice(-FILES_KNOWN);
    }
    const read = { newestEntry, totals, files };
    this.#known.set(key, read);
    return read;
  }
}
