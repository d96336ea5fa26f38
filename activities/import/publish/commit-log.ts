import { randomUUID } from 'node:crypto';
import { entriesIfThere, ifThere, type HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { SourceName, TableId } from '../../../grid/history/sql-source.ts';
import { commitsDirectory } from '../staging/paths.ts';
import { importCommit, paddedNumber, type ImportCommit } from './commit.ts';

export type { CommittedColumn, CommittedRun, ImportCommit } from './commit.ts';

/** A record of 100,000 runs has some 20 MB. */
const MAX_RECORD_BYTES = 64 << 20;
/** Older records are history that nobody reads; each names all runs, so keeping all of them would cost the square of their number. */
const KEPT_RECORDS = 100;

const RECORD = /^(\d{20})\.json$/;

/** What a table consists of now; undefined: it was never imported. @throws GridError `commit-log-corrupt` */
export function readNewestCommit(
  hdfs: HdfsClient,
  importsDirectory: string,
  source: SourceName,
  table: TableId,
): Promise<ImportCommit | undefined> {
  return new CommitLog(hdfs, importsDirectory, source, table).newest();
}

/**
 * The commit log of a table: `_commits/<number, 20 digits>.json`. The rename of a record to its number decides: HDFS
 * refuses it when the name is taken, so of two that follow the same commit only one succeeds, and nothing is part of a
 * table before.
 */
export class CommitLog {
  readonly directory: string;
  readonly #hdfs: HdfsClient;

  constructor(hdfs: HdfsClient, importsDirectory: string, source: SourceName, table: TableId) {
    this.#hdfs = hdfs;
    this.directory = commitsDirectory(importsDirectory, source, table);
  }

  /** One listing and one read. @throws GridError `commit-log-corrupt` */
  async newest(): Promise<ImportCommit | undefined> {
    for (;;) {
      const seq = (await this.#numbers()).at(-1);
      if (seq === undefined) return undefined;
      const commit = await this.read(seq);
      // Taken away since, being old by now.
      if (commit !== undefined) return commit;
    }
  }

  /** Undefined: there is none of this number (any more). @throws GridError `commit-log-corrupt` */
  async read(seq: number): Promise<ImportCommit | undefined> {
    const path = this.#path(seq);
    const bytes = await ifThere(this.#hdfs.readFile(path, { maxBytes: MAX_RECORD_BYTES }));
    return bytes === undefined ? undefined : parse(bytes, path, seq);
  }

  /**
   * Commits, if the number is still free.
   *
   * @param workDirectory where the record is written first: whoever deletes that directory fences this commit off
   * @returns false: another commit has this number, or the work directory is gone. After `hdfs-unavailable` and `hdfs-timeout` it is unknown: read it.
   */
  async commit(record: ImportCommit, workDirectory: string): Promise<boolean> {
    await this.#hdfs.makeDirectory(this.directory);
    const written = `${workDirectory}/commit.${randomUUID()}.json`;
    await this.#hdfs.writeFile(written, Buffer.from(JSON.stringify(record)));
    const committed = await this.#hdfs.rename(written, this.#path(record.seq));
    if (!committed) await this.#hdfs.delete(written);
    return committed;
  }

  /** Deletes records that are long out of use. */
  async prune(newest: number): Promise<void> {
    for (const seq of await this.#numbers()) {
      if (seq > newest - KEPT_RECORDS) break;
      await this.#hdfs.delete(this.#path(seq));
    }
  }

  /** Ascending: HDFS lists by name. */
  async #numbers(): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { name } of entriesIfThere(this.#hdfs.list(this.directory))) {
      const digits = RECORD.exec(name)?.[1];
      if (digits !== undefined) numbers.push(Number(digits));
    }
    return numbers;
  }

  #path(seq: number): string {
    return `${this.directory}/${paddedNumber(seq)}.json`;
  }
}

function parse(bytes: Buffer, path: string, seq: number): ImportCommit {
  const corrupt = (detail: string, cause?: unknown): GridError =>
    new GridError(
      'commit-log-corrupt',
      `Reading the commit record ${path}: ${detail}. Nothing is imported into this table until the record is mended, or _commits is moved away (then the table is imported as if for the first time).`,
      { cause },
    );
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw corrupt('it is no JSON', error);
  }
  const parsed = importCommit.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw corrupt(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, parsed.error);
  }
  if (parsed.data.seq !== seq) throw corrupt(`it says that it is number ${parsed.data.seq}`);
  return parsed.data;
}
