import type { CommitRecord, CommittedFile } from '../../connectors/hdfs/commit-log/commit-record.ts';
import { PartitionLayout } from '../../connectors/hdfs/commit-log/layout.ts';
import { readCommitLog } from '../../connectors/hdfs/commit-log/read.ts';
import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';

/** The commit logs of a topic: what of it is published in HDFS. */
export class CommittedFiles {
  readonly #hdfs: HdfsClient;
  readonly #topicsDirectory: string;
  readonly #topic: string;

  constructor(hdfs: HdfsClient, topicsDirectory: string, topic: string) {
    this.#hdfs = hdfs;
    this.#topicsDirectory = topicsDirectory;
    this.#topic = topic;
  }

  /** Partitions that have a log, in order. */
  async partitions(): Promise<readonly number[]> {
    const partitions: number[] = [];
    const commits = `${this.#topicsDirectory}/${this.#topic}/_commits`;
    for await (const { name, type } of entriesIfThere(this.#hdfs.list(commits))) {
      if (type === 'directory' && /^\d{1,9}$/.test(name)) partitions.push(Number(name));
    }
    return partitions.sort((a, b) => a - b);
  }

  /**
   * Commits of a partition, oldest first, without the newest as long as its files are not all where they belong: a writer publishes the files of one
   * commit before it makes the next.
   *
   * @param fromOffset commits that end before it may be left out
   * @throws GridError `commit-log-corrupt`; `hdfs-not-found` when an entry was folded meanwhile
   */
  async *commits(partition: number, fromOffset: number): AsyncGenerator<CommitRecord> {
    const layout = new PartitionLayout(this.#topicsDirectory, this.#topic, partition);
    let newest: CommitRecord | undefined;
    for await (const commit of readCommitLog(this.#hdfs, layout, fromOffset)) {
      if (newest !== undefined) yield newest;
      newest = commit;
    }
    if (newest !== undefined && (await this.#isInPlace(newest))) yield newest;
  }

  async #isInPlace({ files }: CommitRecord): Promise<boolean> {
    for (const { path, lengthBytes } of files) {
      if ((await this.#hdfs.status(path))?.lengthBytes !== lengthBytes) return false;
    }
    return true;
  }
}

/** Files of readings have event times; one without is taken for any day. */
export function eventTimes({ eventTimeMinMs, eventTimeMaxMs }: CommittedFile): [minMs: number, maxMs: number] {
  return [eventTimeMinMs ?? 0, eventTimeMaxMs ?? 253_402_300_799_999];
}
