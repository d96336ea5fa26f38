import { z } from 'zod';
import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import type { Lists, UnitOfWork } from '../../../workflows/discovery/contract.ts';
import { padded } from '../landing-paths.ts';

/** Paths of a unit are at most so many, each at most some 12 kB. */
const MOST_BYTES = 128 << 20;

const paths = z.array(z.string());

/** Paths of one unit of work, relative to the root of the share. */
export async function readUnit(hdfs: HdfsClient, { directory, index }: UnitOfWork): Promise<readonly string[]> {
  const path = unitPath(directory, index);
  const parsed = paths.safeParse(JSON.parse((await hdfs.readFile(path, { maxBytes: MOST_BYTES })).toString()));
  if (parsed.success) return parsed.data;
  throw new GridError('defect', `Reading ${path}: it is not what a listing wrote there. Start the crawl again.`, {
    cause: parsed.error,
  });
}

/** Writes paths as lists of a bounded length, as they come: none but the last is held. */
export class UnitWriter {
  readonly #hdfs: HdfsClient;
  readonly #directory: string;
  readonly #name: string;
  readonly #most: number;
  #paths: string[] = [];
  #count = 0;

  /**
   * @param directory of this writer alone, so that who is late overwrites nobody's lists
   * @param name of the units, see {@link Lists}
   */
  constructor(hdfs: HdfsClient, options: { readonly directory: string; readonly name: string; readonly most: number }) {
    this.#hdfs = hdfs;
    this.#directory = options.directory;
    this.#name = options.name;
    this.#most = options.most;
  }

  async add(path: string): Promise<void> {
    this.#paths.push(path);
    if (this.#paths.length >= this.#most) await this.#flush();
  }

  async close(): Promise<Lists> {
    if (this.#paths.length > 0) await this.#flush();
    return { directory: this.#directory, count: this.#count, name: this.#name };
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(this.#paths));
    await this.#hdfs.writeFile(unitPath(this.#directory, this.#count), bytes, { createParent: true, overwrite: true });
    this.#count++;
    this.#paths = [];
  }
}

function unitPath(directory: string, index: number): string {
  return `${directory}/${padded(index)}.json`;
}
