import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, opendir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { nameBytes, nameText } from '../../../grid/legacy/path-text.ts';
import {
  MOST_READS,
  SourceProblem,
  type FileStamp,
  type LegacySource,
  type LinkTarget,
  type ProblemReason,
  type SourceEntry,
  type SpooledFile,
} from './legacy-source.ts';
import { writeSpool } from './spool.ts';

const REASONS: ReadonlyMap<string, ProblemReason> = new Map([
  ['ENOENT', 'vanished'],
  ['ENOTDIR', 'vanished'],
  ['EACCES', 'unreadable'],
  ['EPERM', 'unreadable'],
  ['ENAMETOOLONG', 'unreadable'],
  ['ELOOP', 'not-a-file'],
  ['EISDIR', 'not-a-file'],
  ['ENXIO', 'not-a-file'],
]);
const READ_BYTES = 256 << 10;
/** Linux has it; elsewhere it is not there, whatever the types say. */
const NO_ACCESS_TIME = (constants as { readonly O_NOATIME?: number }).O_NOATIME ?? 0;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The least of a directory's entry that is used; its name comes as bytes, which the types of Node do not say. */
interface RawEntry {
  readonly name: unknown;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** A directory that this machine sees. It is opened for reading alone, without access times where the system allows that (the owner, or root). */
export class LocalSource implements LegacySource {
  readonly root: string;
  readonly #directory: Buffer;
  readonly #maxFileBytes: number;

  /** @param directory absolute, as bytes */
  constructor(directory: Buffer, maxFileBytes: number) {
    this.#directory = directory;
    this.#maxFileBytes = maxFileBytes;
    this.root = `file:${pathText(directory)}`;
  }

  async *list(directory: string): AsyncGenerator<SourceEntry, void, undefined> {
    const entries = await this.#tried(directory, () =>
      // Names are not always text.
      opendir(this.#path(directory) as unknown as string, { encoding: 'buffer' as BufferEncoding, bufferSize: 256 }),
    );
    try {
      for await (const entry of entries) {
        const found = entryOf(entry);
        if (found !== undefined) yield found;
      }
    } catch (error) {
      throw problemOf(error);
    }
  }

  async stamp(path: string): Promise<FileStamp> {
    const stats = await this.#tried(path, () => lstat(this.#path(path), { bigint: true }));
    if (stats.isSymbolicLink()) return stampOf(await this.#tried(path, () => stat(this.#path(path), { bigint: true })));
    if (!stats.isFile()) throw new SourceProblem('not-a-file', 'something else lies in its place by now');
    return stampOf(stats);
  }

  async spool(path: string, to: string, signal: AbortSignal): Promise<SpooledFile> {
    for (let read = 1; ; read++) {
      signal.throwIfAborted();
      const file = await this.#open(path);
      try {
        const before = await file.stat({ bigint: true });
        if (!before.isFile()) throw new SourceProblem('not-a-file', 'something else lies in its place by now');
        const size = Number(before.size);
        const spooled = await writeSpool(chunksOf(file, size), to, { size, maxBytes: this.#maxFileBytes, signal });
        const after = await file.stat({ bigint: true });
        const stamp = stampOf(before);
        if (spooled.lengthBytes === size && stampOf(after).text === stamp.text) return { ...spooled, stamp };
      } catch (error) {
        throw problemOf(error);
      } finally {
        await file.close();
      }
      if (read === MOST_READS) throw changing();
    }
  }

  async follow(path: string): Promise<LinkTarget> {
    try {
      const target = await realpath(this.#path(path), { encoding: 'buffer' });
      const root = await realpath(this.#directory, { encoding: 'buffer' });
      if (!isBelow(target, root)) return { type: 'nowhere', reason: 'link-leads-out' };
      const stats = await stat(target, { bigint: true });
      if (stats.isDirectory()) return { type: 'directory', identity: identityOf(stats) };
      return stats.isFile() ? { type: 'file' } : { type: 'nowhere', reason: 'link-to-special' };
    } catch (error) {
      const code = codeOf(error);
      return { type: 'nowhere', reason: code === 'ELOOP' ? 'link-loop' : 'link-dangles' };
    }
  }

  async identity(directory: string): Promise<string> {
    return identityOf(await this.#tried(directory, () => stat(this.#path(directory), { bigint: true })));
  }

  async #open(path: string): Promise<FileHandle> {
    const bytes = this.#path(path);
    // A link that is followed has been looked at; every other one must not lead elsewhere meanwhile.
    const isLink = await this.#tried(path, async () => (await lstat(bytes)).isSymbolicLink());
    const flags = isLink ? READ & ~constants.O_NOFOLLOW : READ;
    return this.#tried(path, async () => {
      try {
        return await open(bytes, flags | NO_ACCESS_TIME);
      } catch (error) {
        // Only who owns a file may leave its access time alone.
        if (codeOf(error) !== 'EPERM') throw error;
        return open(bytes, flags);
      }
    });
  }

  async #tried<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw problemOf(error, path);
    }
  }

  #path(path: string): Buffer {
    return path === '' ? this.#directory : Buffer.concat([this.#directory, Buffer.from('/'), nameBytes(path)]);
  }
}

/** A path of bytes as text, name by name. */
export function pathText(path: Buffer): string {
  const names: string[] = [];
  for (let from = 0; from <= path.length;) {
    const slash = path.indexOf(0x2f, from);
    const end = slash === -1 ? path.length : slash;
    names.push(nameText(path.subarray(from, end)));
    from = end + 1;
  }
  return names.join('/').replace(/(?<=.)\/+$/, '');
}

function entryOf(entry: RawEntry): SourceEntry | undefined {
  if (!Buffer.isBuffer(entry.name)) return undefined;
  const name = nameText(entry.name);
  if (entry.isFile()) return { name, type: 'file' };
  if (entry.isDirectory()) return { name, type: 'directory' };
  if (entry.isSymbolicLink()) return { name, type: 'symlink' };
  return { name, type: 'special', special: entry.isFIFO() ? 'pipe' : entry.isSocket() ? 'socket' : 'device' };
}

async function* chunksOf(file: FileHandle, size: number): AsyncGenerator<Buffer, void, undefined> {
  // One more than there should be shows whether it grows.
  const length = Math.min(READ_BYTES, size + 1);
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): FileStamp {
  return {
    size: Number(size),
    modifiedAtMs: Number(mtimeNs / 1_000_000n),
    text: `${ino}:${size}:${mtimeNs}:${ctimeNs}`,
  };
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function isBelow(path: Buffer, root: Buffer): boolean {
  if (path.equals(root)) return true;
  const prefix = root.equals(Buffer.from('/')) ? root : Buffer.concat([root, Buffer.from('/')]);
  return path.subarray(0, prefix.length).equals(prefix);
}

function changing(): SourceProblem {
  return new SourceProblem('changing', `it was changed each of ${MOST_READS} times while it was read`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function problemOf(error: unknown, path?: string): unknown {
  const code = codeOf(error);
  // What is no answer of the system to this file is nothing to be told of the file.
  if (!(error instanceof Error) || code === '' || !('syscall' in error) || code === 'ENOSPC' || code === 'EMFILE') {
    return error;
  }
  const what = path === '' ? 'the root' : 'it';
  return new SourceProblem(REASONS.get(code) ?? 'read-error', `${what} cannot be read: ${code}`, { cause: error });
}
