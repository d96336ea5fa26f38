import { entriesIfThere, ifThere } from '../../../connectors/hdfs/if-there.ts';
import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import { readManifest } from '../manifest.ts';
import type { ReadingsDirectory } from '../readings-directory.ts';
import { NOTHING_SHOWN, snapshotSchema, type Snapshot } from './snapshot.ts';

/** The log of snapshots: files whose names are their numbers, each put there once. */
export class Snapshots {
  readonly #hdfs: HdfsClient;
  readonly #directory: ReadingsDirectory;

  constructor(hdfs: HdfsClient, directory: ReadingsDirectory) {
    this.#hdfs = hdfs;
    this.#directory = directory;
  }

  /** The newest; {@link NOTHING_SHOWN} before the first. */
  async newest(): Promise<Snapshot> {
    const newest = (await this.numbers()).at(-1);
    return newest === undefined ? NOTHING_SHOWN : ((await this.read(newest.number)) ?? this.newest());
  }

  /** Numbers of all that are kept, in order, and when each was written (epoch ms). */
  async numbers(): Promise<readonly { readonly number: number; readonly writtenAtMs: number }[]> {
    const numbers: { number: number; writtenAtMs: number }[] = [];
    for await (const { name, modifiedAtMs } of entriesIfThere(this.#hdfs.list(this.#directory.snapshots))) {
      const match = /^(\d{20})\.json$/.exec(name);
      if (match !== null) numbers.push({ number: Number(match[1]), writtenAtMs: modifiedAtMs });
    }
    return numbers.sort((a, b) => a.number - b.number);
  }

  /** Undefined: it is no longer kept. */
  read(number: number): Promise<Snapshot | undefined> {
    return ifThere(readManifest(this.#hdfs, this.#directory.snapshot(number), snapshotSchema));
  }

  /**
   * Puts a snapshot behind the one that it is based on.
   *
   * @returns false: another was put there first, so it has to be made anew from that one
   * @throws GridError `hdfs-unavailable`, `hdfs-timeout`: it may be there or not, or come to be there; what it names must stay
   */
  async put(snapshot: Snapshot): Promise<boolean> {
    const temporary = this.#directory.temporary(snapshot.id);
    const path = this.#directory.snapshot(snapshot.number);
    await this.#hdfs.makeDirectory(this.#directory.snapshots);
    await this.#hdfs.writeFile(temporary, Buffer.from(JSON.stringify(snapshot)), {
      createParent: true,
      overwrite: true,
    });
    try {
      if (await this.#hdfs.rename(temporary, path)) return true;
    } catch (error) {
      if (!(error instanceof GridError) || !error.retryable) throw error;
      if ((await this.read(snapshot.number))?.id === snapshot.id) return true;
      throw error;
    }
    const present = await this.read(snapshot.number);
    if (present?.id === snapshot.id) return true;
    await this.#hdfs.delete(temporary);
    return false;
  }

  async remove(number: number): Promise<void> {
    await this.#hdfs.delete(this.#directory.snapshot(number));
  }
}
