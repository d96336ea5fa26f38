import { z } from 'zod';
import { entriesIfThere, ifThere, type HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import {
  committedFile,
  type CommitRecord,
  type CommittedFile,
} from '../../../connectors/hdfs/commit-log/commit-record.ts';
import { isInPlace } from './file-in-place.ts';
import type { PartitionLayout } from '../../../connectors/hdfs/commit-log/layout.ts';

/** What stands beside a file that was set aside, for whoever repairs it. */
const noteSchema = z.strictObject({
  version: z.literal(1),
  topic: z.string(),
  partition: z.int().nonnegative(),
  /** The commit record that names the file. */
  commit: z.strictObject({ firstOffset: z.int().nonnegative(), lastOffset: z.int().nonnegative() }),
  /** The file as the record names it; `path` is where it could not be published. */
  file: committedFile,
  /** Where its bytes are; null when they are nowhere: its offsets have to be read again from Kafka. */
  keptAt: z.string().nullable(),
  reason: z.string(),
  setAsideAt: z.iso.datetime(),
});
export type SetAsideNote = z.output<typeof noteSchema>;

const MAX_NOTE_BYTES = 1024 * 1024;

/**
 * Files of committed ranges of one partition that cannot be published, kept with all that is needed to do so by hand:
 *
 *     /topics/.set-aside/<topic>/<kafka partition>/<first offset of the range, 20 digits>/data-…         the file
 *     /topics/.set-aside/<topic>/<kafka partition>/<first offset of the range, 20 digits>/data-….json    a {@link SetAsideNote}
 *
 * Every file is moved by rename from its one place to another, so of two owners that act at once one finds what the other has done.
 */
export class SetAside {
  readonly #hdfs: HdfsPort;
  readonly #layout: PartitionLayout;

  constructor(hdfs: HdfsPort, layout: PartitionLayout) {
    this.#hdfs = hdfs;
    this.#layout = layout;
  }

  /**
   * Keeps a file that cannot be published, and notes why.
   *
   * @param stillOwns whether this owner was not fenced yet; asked when the file is nowhere.
   * @returns the alarm.
   * @throws GridError `fenced`: another owner has the file.
   */
  async keep(
    record: CommitRecord,
    file: CommittedFile,
    refusal: GridError | undefined,
    stillOwns: () => Promise<boolean>,
  ): Promise<GridError> {
    const keptAt = this.#layout.setAsideFile(record.firstOffset, file.temporaryPath);
    await this.#hdfs.makeDirectory(this.#layout.setAsideDirectory(record.firstOffset));
    const isKept = await this.#move(file, keptAt);
    if (!isKept && !(await stillOwns())) throw takenOver(file);
    const reason = refusal?.message ?? `It is neither at its place nor at ${file.temporaryPath}.`;
    const note: SetAsideNote = {
      version: 1,
      topic: record.topic,
      partition: record.partition,
      commit: { firstOffset: record.firstOffset, lastOffset: record.lastOffset },
      file,
      keptAt: isKept ? keptAt : null,
      reason,
      setAsideAt: new Date().toISOString(),
    };
    await this.#hdfs.writeFile(`${keptAt}.json`, Buffer.from(`${JSON.stringify(note)}\n`), { overwrite: true });
    const advice = isKept
      ? `Its ${file.lengthBytes} bytes are kept at ${keptAt}, with a note beside. Mend the cause, and the partition's next take-over publishes it; or move it by hand, and delete ${this.#layout.setAsideDirectory(record.firstOffset)}.`
      : `It is gone: restore it (${file.lengthBytes} bytes, ${file.checksum}), or read offsets ${file.firstOffset} to ${file.lastOffset} again from Kafka; then delete ${this.#layout.setAsideDirectory(record.firstOffset)}.`;
    return new GridError(
      'commit-set-aside',
      `Publishing ${file.path}, committed with offsets ${record.firstOffset} to ${record.lastOffset}: ${reason} ${advice}`,
      refusal === undefined ? {} : { cause: refusal },
    );
  }

  async #move(file: CommittedFile, keptAt: string): Promise<boolean> {
    if (await this.#hdfs.rename(file.temporaryPath, keptAt)) return true;
    if (await this.#hdfs.rename(this.#layout.fencedTemporary(file.temporaryPath), keptAt)) return true;
    return isInPlace(this.#hdfs, file, keptAt);
  }

  /** What is set aside now, oldest first. */
  async notes(): Promise<SetAsideNote[]> {
    const notes: SetAsideNote[] = [];
    for (const directory of await this.#names(this.#layout.setAsideRoot)) {
      for (const name of await this.#names(directory)) {
        if (!name.endsWith('.json')) continue;
        const bytes = await ifThere(this.#hdfs.readFile(name, { maxBytes: MAX_NOTE_BYTES }));
        if (bytes !== undefined) notes.push(decodeNote(bytes, name));
      }
    }
    return notes;
  }

  /** Publishes what can be published by now, and counts the files that stay set aside. */
  async retry(): Promise<number> {
    let kept = 0;
    for (const note of await this.notes()) {
      const directory = this.#layout.setAsideDirectory(note.commit.firstOffset);
      if (!(await this.#publish(note))) {
        kept++;
        continue;
      }
      await this.#hdfs.delete(`${this.#layout.setAsideFile(note.commit.firstOffset, note.file.temporaryPath)}.json`);
      if ((await this.#names(directory)).length === 0) await this.#hdfs.delete(directory);
    }
    return kept;
  }

  async #publish({ file, keptAt }: SetAsideNote): Promise<boolean> {
    try {
      if (await isInPlace(this.#hdfs, file, file.path)) return true;
      if (keptAt === null) return false;
      await this.#hdfs.makeDirectory(file.path.slice(0, file.path.lastIndexOf('/')));
      return await this.#hdfs.rename(keptAt, file.path);
    } catch (error) {
      if (isFinal(error)) return false;
      throw error;
    }
  }

  /** The paths of a directory's entries; none when it is missing. */
  async #names(directory: string): Promise<string[]> {
    const paths: string[] = [];
    for await (const { path } of entriesIfThere(this.#hdfs.list(directory))) paths.push(path);
    return paths;
  }
}

/** Whether an error of publishing a file says that it cannot be done, however often it is tried: not that a server is down, or full. */
export function isFinal(error: unknown): error is GridError {
  return (
    error instanceof GridError &&
    (error.code === 'hdfs-refused' || error.code === 'hdfs-already-exists' || error.code === 'commit-log-corrupt')
  );
}

function takenOver(file: CommittedFile): GridError {
  return new GridError(
    'fenced',
    `Publishing ${file.path}: another worker has taken the partition over and is publishing it; this one starts again from the log.`,
  );
}

function decodeNote(bytes: Buffer, path: string): SetAsideNote {
  try {
    return noteSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new GridError(
      'commit-log-corrupt',
      `Reading the note ${path} of a file that was set aside: ${error instanceof Error ? error.message : String(error)}. Restore it, or move the whole directory out of the way.`,
      { cause: error },
    );
  }
}
