import { asGridError, GridError } from '../../../grid/errors.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { errorOfSilence } from '../failure.ts';
import { hostOf, type NameNodes, type Operation } from '../name-node/name-nodes.ts';
import { locationIn } from '../name-node/reply.ts';
import { parentOf } from '../path.ts';
import type { CreateOptions, FileStatus } from '../port.ts';
import { DataNodeUpload } from './upload.ts';

/** DataNodes that are tried, one after the other, when they refuse the connection. */
const MAX_DATA_NODES = 4;
/** Between looks at the NameNode whether a file that is being made exists by now. */
const FIRST_LOOK_MS = 1;
const LONGEST_LOOK_MS = 100;
/** Looks after which the parent is looked at as well. */
const LOOKS_BEFORE_PARENT = 4;

export interface UploadsOptions {
  readonly nameNodes: NameNodes;
  readonly callTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly status: (path: string) => Promise<FileStatus | undefined>;
}

/** The uploads of a client: opens them at a DataNode that takes them, and cuts them all in the end. */
export class Uploads {
  readonly #options: UploadsOptions;
  readonly #open = new Set<DataNodeUpload>();

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /** An upload whose head a DataNode has taken. One that refuses the connection is passed over for another. */
  async open(path: string, options: CreateOptions): Promise<DataNodeUpload> {
    const { callTimeoutMs, idleTimeoutMs } = this.#options;
    const excluded: string[] = [];
    let refusal: GridError | undefined;
    for (;;) {
      const url = await this.#place(path, options, excluded).catch((error: unknown) => {
        // The NameNode knows no other DataNode: what the one it knows came to says more.
        throw refusal ?? error;
      });
      const attempt = { operation: 'CREATE', path, server: `DataNode ${hostOf(url)}` };
      const upload = new DataNodeUpload(url, attempt, idleTimeoutMs);
      this.#open.add(upload);
      void upload.cut.then(() => this.#open.delete(upload));
      try {
        await upload.accepted(callTimeoutMs);
        return upload;
      } catch (error) {
        await upload.abort();
        refusal = asGridError(error, `CREATE ${path}`);
        excluded.push(new URL(url).hostname);
        if (upload.wasSent || excluded.length === MAX_DATA_NODES) throw refusal;
      }
    }
  }

  /** The DataNode's URL for a new file. Nothing is made by asking, so it may be asked again. */
  async #place(path: string, options: CreateOptions, excluded: readonly string[]): Promise<string> {
    const { createParent = false, overwrite = false, blockSizeBytes, replication } = options;
    const operation: Operation = {
      method: 'PUT',
      name: 'CREATE',
      path,
      parameters: {
        noredirect: 'true',
        createparent: String(createParent),
        overwrite: String(overwrite),
        ...(blockSizeBytes === undefined ? {} : { blocksize: String(blockSizeBytes) }),
        ...(replication === undefined ? {} : { replication: String(replication) }),
        ...(excluded.length === 0 ? {} : { excludedatanodes: excluded.join(',') }),
      },
      repeatable: 'any-time',
    };
    return this.#options.nameNodes.call(operation, locationIn);
  }

  /**
   * Waits until the NameNode lists the file: the DataNode says nothing when CREATE succeeded, only when it failed.
   *
   * @param oldFileId of the file that is being replaced
   * @throws GridError the DataNode's error, `hdfs-not-found` when the parent is gone, or `hdfs-timeout`.
   */
  async untilCreated(path: string, upload: DataNodeUpload, oldFileId: number | undefined): Promise<FileStatus> {
    const { callTimeoutMs, status } = this.#options;
    const deadline = performance.now() + callTimeoutMs;
    const looks = new Backoff({ firstMs: FIRST_LOOK_MS, longestMs: LONGEST_LOOK_MS });
    for (let look = 1; ; look++) {
      const found = await status(path);
      if (upload.failure !== undefined) throw upload.failure;
      if (found !== undefined && found.fileId !== oldFileId) return found;
      if (look > LOOKS_BEFORE_PARENT && (await status(parentOf(path))) === undefined) {
        throw new GridError(
          'hdfs-not-found',
          `CREATE ${path}: its directory is gone. It was renamed or deleted meanwhile.`,
        );
      }
      if (performance.now() > deadline) throw errorOfSilence(upload.attempt, callTimeoutMs, 'no file appeared');
      await looks.pause();
    }
  }

  /** Cuts what is under way; it fails with `shutting-down`. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((upload) => upload.abort('shutting-down')));
  }
}
