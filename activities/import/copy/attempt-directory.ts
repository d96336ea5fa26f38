import { randomUUID } from 'node:crypto';
import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { WrittenPart } from './part-writer.ts';
import { partFile } from '../staging/paths.ts';
import type { WorkDirectory } from '../staging/work-directory.ts';

/** Splits `from` to before `to`. */
export interface SplitRangeOfStretch {
  readonly from: number;
  readonly to: number;
}

const NAME = /^(\d+)-(\d+)\./;
/** Tries to move a file to its place; each failed one has moved another's file out of the way. */
const MAX_TURNS = 6;

/**
 * Where one attempt at a stretch of splits writes, and the only way from there into `data/`.
 *
 * An attempt can live on after its successor has begun: Temporal gave up on it, but its process only hung, or was cut off.
 * Such a zombie can change nothing in `data/` once its successor has opened a directory of its own:
 * 1. Opening deletes the directories of all other attempts at any of these splits. From then on a zombie's CREATE fails, since it
 *    never makes a parent; a file it is still writing is gone; and its renames answer false, since their source is gone.
 * 2. A file that is in the way in `data/` is never deleted, but renamed *into the attempt's own directory*. For a zombie that
 *    directory does not exist, so it cannot take away what its successor has put there.
 * 3. The NameNode does one thing after the other. So whatever a zombie has done to `data/` it did before its successor's opening
 *    ended, and the successor looks at `data/` only then. (The same holds for a rename that a NameNode was asked for and did late.)
 * What a zombie may still do is to add records. A record is a fact about one file, named by its inode: it stays true, and
 * counts only while that very file lies in `data/`.
 * When both begin at once each may take the other's directory away: both fail with `fenced`, and are tried again.
 */
export class AttemptDirectory {
  readonly path: string;
  readonly #hdfs: HdfsClient;
  readonly #dataDirectory: string;
  #files = 0;

  private constructor(hdfs: HdfsClient, work: WorkDirectory, path: string) {
    this.#hdfs = hdfs;
    this.path = path;
    this.#dataDirectory = work.dataDirectory;
  }

  /** Makes the directory, and takes those of earlier attempts at these splits away. */
  static async open(hdfs: HdfsClient, work: WorkDirectory, range: SplitRangeOfStretch): Promise<AttemptDirectory> {
    const path = `${work.attemptsDirectory}/${range.from}-${range.to}.${randomUUID()}`;
    await hdfs.makeDirectory(path);
    for await (const other of hdfs.list(work.attemptsDirectory)) {
      const [, from, to] = NAME.exec(other.name) ?? [];
      if (from === undefined || to === undefined || other.path === path) continue;
      if (Number(from) < range.to && Number(to) > range.from) await hdfs.delete(other.path, { recursive: true });
    }
    return new AttemptDirectory(hdfs, work, path);
  }

  /** A path for a split's file, another one each time. */
  newFile(split: number): string {
    return `${this.path}/${++this.#files}-${partFile(split)}`;
  }

  /**
   * Moves a finished file of this directory to its place in `data/`, in place of whatever lies there.
   *
   * @throws GridError `fenced`: another attempt has taken over, or the work was given up
   */
  async putInPlace(split: number, part: WrittenPart): Promise<void> {
    const place = this.#placeOf(split);
    for (let turn = 1; turn <= MAX_TURNS; turn++) {
      if (await this.#renamed(part.path, place)) return;
      const [own, there] = await Promise.all([this.#hdfs.status(part.path), this.#hdfs.status(place)]);
      // It was done, and only the reply was lost.
      if (there?.fileId === part.fileId) return;
      if (own === undefined) throw this.#fenced(`moving ${part.path} to its place`);
      if (there !== undefined) await this.clear(split);
      else if ((await this.#hdfs.status(this.#dataDirectory)) === undefined) throw this.#fenced(`moving to ${place}`);
    }
    throw new GridError(
      'fenced',
      `Moving ${part.path} to ${place}: others keep putting files there. Another attempt is at the same splits.`,
    );
  }

  /** Takes away what lies in a split's place, if anything. @throws GridError `fenced` */
  async clear(split: number): Promise<void> {
    const place = this.#placeOf(split);
    const aside = `${this.path}/${++this.#files}-replaced-${partFile(split)}`;
    if (await this.#renamed(place, aside)) {
      await this.#hdfs.delete(aside);
      return;
    }
    if ((await this.#hdfs.status(place)) === undefined) return;
    if ((await this.#hdfs.status(this.path)) === undefined) throw this.#fenced(`taking ${place} away`);
  }

  async delete(): Promise<void> {
    await this.#hdfs.delete(this.path, { recursive: true });
  }

  #placeOf(split: number): string {
    return `${this.#dataDirectory}/${partFile(split)}`;
  }

  /** False also when it is not known: the caller looks. */
  async #renamed(from: string, to: string): Promise<boolean> {
    try {
      return await this.#hdfs.rename(from, to);
    } catch (error) {
      if (error instanceof GridError && (error.code === 'hdfs-unavailable' || error.code === 'hdfs-timeout')) {
        return false;
      }
      throw error;
    }
  }

  #fenced(attempt: string): GridError {
    return new GridError(
      'fenced',
      `Importing below ${this.path}, ${attempt}: the directory was taken away. Another attempt has taken over, or the work was given up.`,
    );
  }
}
