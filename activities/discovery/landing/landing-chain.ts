import { randomUUID } from 'node:crypto';
import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import { readLocal } from './local-bundle.ts';

/** Puts a file of this machine into HDFS, proven, under a temporary name. */
export async function upload(
  hdfs: HdfsClient,
  from: string,
  temporaryDirectory: string,
  signal: AbortSignal,
): Promise<string> {
  const temporary = `${temporaryDirectory}/${randomUUID()}`;
  // The directory is that of the crawl: once it is taken away, who comes too late can publish nothing.
  const writer = await hdfs.create(temporary);
  try {
    for await (const chunk of readLocal(from)) {
      signal.throwIfAborted();
      await writer.write(chunk);
    }
    await writer.close();
    return temporary;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/**
 * Files of one unit of work, at names that are fixed and numbered. Each is put if there is none, so whoever puts one knows all before it: of two
 * that do the same unit one loses, starts again, and finds what the other has put.
 */
export class LandingChain {
  readonly #hdfs: HdfsClient;
  readonly #pathOf: (number: number) => string;
  readonly #temporaryDirectory: string;
  #number = 0;

  constructor(hdfs: HdfsClient, pathOf: (number: number) => string, temporaryDirectory: string) {
    this.#hdfs = hdfs;
    this.#pathOf = pathOf;
    this.#temporaryDirectory = temporaryDirectory;
  }

  /** Passes over those that are there; `take` learns of each. */
  async adopt(take: (path: string) => Promise<void>): Promise<void> {
    for (; (await this.#hdfs.status(this.nextPath)) !== undefined; this.#number++) await take(this.nextPath);
  }

  /** Where the next one will lie. */
  get nextPath(): string {
    return this.#pathOf(this.#number);
  }

  /** @throws GridError `commit-lost`: somebody else has put one at the name */
  async put(from: string, signal: AbortSignal): Promise<void> {
    const temporary = await upload(this.#hdfs, from, this.#temporaryDirectory, signal);
    if (!(await this.#hdfs.rename(temporary, this.nextPath))) {
      throw new GridError(
        'commit-lost',
        `Landing ${this.nextPath}: another worker does the same unit of work and was first, or the crawl is over. What is there is taken up.`,
      );
    }
    this.#number++;
  }
}
