import type { Readable } from 'node:stream';
import type { FileStatus, HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import { nameBytes, nameText } from '../../../grid/legacy/path-text.ts';
import {
  MOST_READS,
  SourceProblem,
  type FileStamp,
  type LegacySource,
  type LinkTarget,
  type SourceEntry,
  type SpooledFile,
} from './legacy-source.ts';
import { writeSpool } from './spool.ts';

export interface HdfsSourceOptions {
  readonly hdfs: HdfsClient;
  /** Absolute. */
  readonly directory: string;
  readonly maxFileBytes: number;
  /** What is landed lies below it, so it is no share. */
  readonly landingDirectory: string;
}

/** A directory in HDFS. */
export class HdfsSource implements LegacySource {
  readonly root: string;
  readonly #options: HdfsSourceOptions;

  constructor(options: HdfsSourceOptions) {
    this.#options = options;
    const names = options.directory.split('/').map((name) => nameText(Buffer.from(name)));
    this.root = `hdfs:${names.join('/')}`;
  }

  async *list(directory: string): AsyncGenerator<SourceEntry, void, undefined> {
    const { hdfs, landingDirectory } = this.#options;
    try {
      for await (const { path, name, type } of hdfs.list(this.#path(directory))) {
        if (path === landingDirectory) continue;
        yield { name: nameText(Buffer.from(name)), type };
      }
    } catch (error) {
      throw problemOf(error);
    }
  }

  async stamp(path: string): Promise<FileStamp> {
    return stampOf(await this.#status(path));
  }

  async spool(path: string, to: string, signal: AbortSignal): Promise<SpooledFile> {
    const { hdfs, maxFileBytes } = this.#options;
    for (let read = 1; ; read++) {
      const before = await this.#status(path);
      try {
        const chunks = chunksOf(await hdfs.read(this.#path(path)));
        const spooled = await writeSpool(chunks, to, { size: before.lengthBytes, maxBytes: maxFileBytes, signal });
        const stamp = stampOf(before);
        const after = await this.#status(path);
        if (spooled.lengthBytes === stamp.size && stampOf(after).text === stamp.text) return { ...spooled, stamp };
      } catch (error) {
        throw problemOf(error);
      }
      if (read === MOST_READS) {
        throw new SourceProblem('changing', `it was changed each of ${MOST_READS} times while it was read`);
      }
    }
  }

  follow(): Promise<LinkTarget> {
    return Promise.resolve({ type: 'nowhere', reason: 'symbolic-link' });
  }

  async identity(directory: string): Promise<string> {
    const status = await this.#options.hdfs.status(this.#path(directory));
    return String(status?.fileId ?? directory);
  }

  async #status(path: string): Promise<FileStatus> {
    let status: FileStatus | undefined;
    try {
      status = await this.#options.hdfs.status(this.#path(path));
    } catch (error) {
      throw problemOf(error);
    }
    if (status === undefined) throw new SourceProblem('vanished', 'it is not there any more');
    if (status.type !== 'file') throw new SourceProblem('not-a-file', `a ${status.type} lies in its place by now`);
    return status;
  }

  #path(path: string): string {
    const { directory } = this.#options;
    if (path === '') return directory;
    return `${directory === '/' ? '' : directory}/${nameBytes(path).toString()}`;
  }
}

function stampOf({ fileId, lengthBytes, modifiedAtMs }: FileStatus): FileStamp {
  return { size: lengthBytes, modifiedAtMs, text: `${fileId}:${lengthBytes}:${modifiedAtMs}` };
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of stream) if (chunk instanceof Buffer) yield chunk;
}

/** What HDFS says of one file; that it is down is no file's problem. */
function problemOf(error: unknown): unknown {
  if (!(error instanceof GridError)) return error;
  if (error.code === 'hdfs-not-found')
    return new SourceProblem('vanished', 'it is not there any more', { cause: error });
  if (error.code === 'hdfs-denied') return new SourceProblem('unreadable', 'HDFS denies it', { cause: error });
  if (error.code === 'hdfs-refused') return new SourceProblem('read-error', error.message, { cause: error });
  return error;
}
