import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';

/** Directories that are remembered as made. */
const REMEMBERED = 10_000;
/** That are made at once: each waits for the NameNode. */
const CONCURRENT = 8;

/**
 * Makes the directories of a range's files before its commit record is written: whatever HDFS has against their names, it says
 * now, while nothing is committed and another route still helps. (One that is deleted later is made again when files are published.)
 */
export class DataDirectories {
  readonly #hdfs: HdfsPort;
  readonly #made = new Set<string>();

  constructor(hdfs: HdfsPort) {
    this.#hdfs = hdfs;
  }

  /** @throws GridError `hdfs-refused`, `hdfs-already-exists` (a file has the name), `hdfs-denied`, … */
  async make(directories: Iterable<string>): Promise<void> {
    const missing = [...new Set(directories)].filter((directory) => !this.#made.has(directory));
    const makeSome = async (): Promise<void> => {
      for (let directory = missing.shift(); directory !== undefined; directory = missing.shift()) {
        await this.#hdfs.makeDirectory(directory);
        if (this.#made.size >= REMEMBERED) this.#made.clear();
        this.#made.add(directory);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT, missing.length) }, makeSome));
  }
}
