import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';
import { escapePartitionValue, partitionSegment } from '../../grid/partition-path.ts';
import { answer, type Answer, type AnswerRun, type Format } from '../../workflows/query/contract.ts';
import type { QueryDependencies } from './dependencies.ts';

/** Twenty first rows and some hundred columns, far below it. */
const MOST_ANSWER_BYTES = 4 << 20;

export interface WantedResult {
  readonly resultPath?: string | undefined;
  readonly format: Format;
}

/**
 * Where the rows of one run go: into a file of the run's own, which gets the result's name once it is whole. What the run would answer lies
 * beside it before that, so that whoever tries again knows its own result.
 */
export class ResultPlace {
  /** File of the result. */
  readonly path: string;
  readonly schemaPath: string;
  /** File of the rows while they come. */
  readonly rowsPath: string;
  readonly #directory: string;
  readonly #hdfs: HdfsClient;

  constructor(
    { hdfs, analysisDirectory }: Pick<QueryDependencies, 'hdfs' | 'analysisDirectory'>,
    { workflowId, runName }: AnswerRun,
    { resultPath, format }: WantedResult,
  ) {
    this.#hdfs = hdfs;
    const directory = partitionSegment(escapePartitionValue(workflowId));
    this.path = resultPath ?? `${analysisDirectory}/queries/${directory}/${runName}.${format}`;
    this.schemaPath = `${this.path}.schema.json`;
    this.#directory = `${analysisDirectory}/_queries/${runName}`;
    this.rowsPath = `${this.#directory}/rows`;
  }

  /** @throws GridError `hdfs-already-exists` */
  async refuseTaken(): Promise<void> {
    for (const path of [this.path, this.schemaPath]) {
      const there = await this.#hdfs.status(path);
      if (there === undefined) continue;
      throw new GridError(
        'hdfs-already-exists',
        `Writing the result to ${this.path}: a ${there.type} is at ${path} already. Remove it, or give another resultPath.`,
      );
    }
  }

  /** The answer of an earlier try of this run that put its result in its place. */
  async answered(): Promise<Answer | undefined> {
    if ((await this.#hdfs.status(`${this.#directory}/answer.json`)) === undefined) return undefined;
    if ((await this.#hdfs.status(this.rowsPath)) !== undefined) return undefined;
    if ((await this.#hdfs.status(this.path)) === undefined) return undefined;
    const bytes = await this.#hdfs.readFile(`${this.#directory}/answer.json`, { maxBytes: MOST_ANSWER_BYTES });
    return answer.parse(JSON.parse(bytes.toString()));
  }

  /** Gives the file of rows its name. @throws GridError `hdfs-already-exists` */
  async publish(found: Answer): Promise<void> {
    await this.#write(`${this.#directory}/answer.json`, found);
    await this.#hdfs.makeDirectory(this.path.slice(0, this.path.lastIndexOf('/')) || '/');
    // A directory of that name would take the file in.
    if ((await this.#hdfs.status(this.path)) !== undefined || !(await this.#hdfs.rename(this.rowsPath, this.path))) {
      await this.refuseTaken();
      throw new GridError(
        'hdfs-unavailable',
        `Renaming ${this.rowsPath} to ${this.path}: HDFS did not. It is tried again.`,
      );
    }
  }

  async writeSchema(columns: Answer['columns'], rows: number, isCut: boolean): Promise<void> {
    await this.#write(this.schemaPath, { columns, rows, isCut });
  }

  /** Removes what the run works with; also its result, unless it is to stay. */
  async clear({ isResultKept }: { readonly isResultKept: boolean }): Promise<void> {
    if (!isResultKept && (await this.answered()) !== undefined) {
      await this.#hdfs.delete(this.path);
      await this.#hdfs.delete(this.schemaPath);
    }
    await this.#hdfs.delete(this.#directory, { recursive: true });
  }

  async #write(path: string, value: unknown): Promise<void> {
    await this.#hdfs.writeFile(path, Buffer.from(`${JSON.stringify(value)}\n`), {
      createParent: true,
      overwrite: true,
    });
  }
}

/**
 * A result among other data would be read as part of it.
 *
 * @throws GridError `invalid-input`
 */
export async function refuseAmongData(
  path: string,
  { dataDirectories, hive }: Pick<QueryDependencies, 'dataDirectories' | 'hive'>,
  signal: AbortSignal,
): Promise<void> {
  const taken = [...dataDirectories, ...(await warehouses(hive, signal))].find(
    (directory) => path === directory || path.startsWith(`${directory}/`),
  );
  if (taken === undefined) return;
  throw new GridError(
    'invalid-input',
    `Writing the result to ${path}: below ${taken} lies data that others read. Give a resultPath elsewhere, or none.`,
  );
}

/** Where Hive keeps its tables. */
async function warehouses(hive: HiveClient, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (const name of ['hive.metastore.warehouse.dir', 'hive.metastore.warehouse.external.dir']) {
    for (const [setting] of await hive.rows(`SET ${name}`, { signal })) {
      const path = (setting ?? '')
        .slice(name.length + 1)
        .replace(/^[a-z]+:\/\/[^/]*/, '')
        .replace(/\/+$/, '');
      if (path !== '') found.push(path);
    }
  }
  return found;
}
