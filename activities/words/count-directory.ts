import { z } from 'zod';
import { ifThere, type HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { ListedFiles } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';

/** A list of a hundred thousand long paths fits. */
const MOST_BYTES = 256 << 20;

const version = z.object({
  path: z.string(),
  lengthBytes: z.number(),
  modifiedAtMs: z.number(),
  fileId: z.number(),
});
/** A file as it was when it was looked at. */
export type FileVersion = z.output<typeof version>;

const surveyedFile = version.extend({
  /**
   * `direct`: Hive reads it as it lies there; `converted`: through the copy at `copy`; `empty`: nothing to read; `skipped`: not
   * counted, for the reason.
   */
  reading: z.enum(['direct', 'converted', 'empty', 'skipped']),
  copy: z.string().optional(),
  reason: z.string().optional(),
});
export type SurveyedFile = z.output<typeof surveyedFile>;

/** Whether Hive reads it, itself or its copy. */
export function isRead({ reading }: SurveyedFile): boolean {
  return reading === 'direct' || reading === 'converted';
}

/** Path of what Hive reads for a file. */
export function readPath({ path, copy }: SurveyedFile): string {
  return copy ?? path;
}

/** Directory of one count in HDFS: what its activities tell each other. It is removed when the count ends. */
export class CountDirectory {
  readonly path: string;
  readonly #hdfs: HdfsClient;

  constructor(hdfs: HdfsClient, analysisDirectory: string, countId: string) {
    this.#hdfs = hdfs;
    this.path = `${analysisDirectory}/words/${countId}`;
  }

  /** Where the list lies that Hive reads: the location of the table over the files. */
  get linksDirectory(): string {
    return `${this.path}/links`;
  }

  /** The same list, for whichever engine reads it. */
  get links(): ListedFiles {
    return {
      directory: this.linksDirectory,
      paths: async () => (await this.readFiles()).filter(isRead).map(readPath),
    };
  }

  copyPath(index: number): string {
    return `${this.path}/copies/${String(index).padStart(6, '0')}.txt`;
  }

  async writeFiles(files: readonly SurveyedFile[]): Promise<void> {
    const lines = files.filter(isRead).map(readPath);
    await this.#write(`${this.linksDirectory}/files`, lines.map((line) => `${line}\n`).join(''));
    await this.#write(`${this.path}/survey.json`, JSON.stringify(files));
  }

  readFiles(): Promise<readonly SurveyedFile[]> {
    return this.#read(`${this.path}/survey.json`, z.array(surveyedFile));
  }

  async writeDistrusted(paths: readonly string[]): Promise<void> {
    await this.#write(`${this.path}/distrusted.json`, JSON.stringify(paths));
  }

  /** Paths that a tally found the replacement character in; none before the first. */
  async readDistrusted(): Promise<readonly string[]> {
    return (await ifThere(this.#read(`${this.path}/distrusted.json`, z.array(z.string())))) ?? [];
  }

  async remove(): Promise<void> {
    await this.#hdfs.delete(this.path, { recursive: true });
  }

  async #write(path: string, text: string): Promise<void> {
    await this.#hdfs.writeFile(path, Buffer.from(text), { createParent: true, overwrite: true });
  }

  async #read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const bytes = await this.#hdfs.readFile(path, { maxBytes: MOST_BYTES });
    const parsed = schema.safeParse(JSON.parse(bytes.toString()));
    if (parsed.success) return parsed.data;
    throw new GridError(
      'defect',
      `Reading ${path}: it is not what a count of words wrote there. Start the count again.`,
      {
        cause: parsed.error,
      },
    );
  }
}
