import { createReadStream } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import tar from 'tar-stream';
import { diskFull, isDiskFull } from '../source/spool.ts';

/** Bytes that are gathered on this machine until they go to HDFS as one file. */
export class LocalBundle {
  readonly path: string;
  #file: FileHandle | undefined;
  #lengthBytes = 0;

  constructor(directory: string, name: string) {
    this.path = join(directory, name);
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  async append(bytes: Buffer): Promise<void> {
    try {
      this.#file ??= await open(this.path, 'w', 0o600);
      await this.#file.writeFile(bytes);
    } catch (error) {
      throw isDiskFull(error) ? diskFull(this.path, error) : error;
    }
    this.#lengthBytes += bytes.length;
  }

  /** To be read from here on, by its path. */
  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
    this.#lengthBytes = 0;
  }
}

/** A header of a tar file, before each member. Their names are short, so that there is never a second one. */
const TAR_BLOCK = 512;

/** Small files, one after the other, as a tar file: any tool can unpack it, and each lies whole at its offset. */
export class LocalPack {
  readonly #bundle: LocalBundle;

  constructor(directory: string) {
    this.#bundle = new LocalBundle(directory, 'pack.tar');
  }

  get path(): string {
    return this.#bundle.path;
  }

  get lengthBytes(): number {
    return this.#bundle.lengthBytes;
  }

  /** @returns where its bytes begin */
  async add(name: string, bytes: Buffer): Promise<number> {
    const offset = this.#bundle.lengthBytes + TAR_BLOCK;
    await this.#bundle.append(await tarEntry(name, bytes));
    return offset;
  }

  async close(): Promise<void> {
    await this.#bundle.append(Buffer.alloc(2 * TAR_BLOCK));
    await this.#bundle.close();
  }

  clear(): Promise<void> {
    return this.#bundle.clear();
  }
}

/** Header, bytes and padding of one member. */
async function tarEntry(name: string, bytes: Buffer): Promise<Buffer> {
  const pack = tar.pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of pack) chunks.push(chunk as Buffer);
  })();
  pack.entry({ name, size: bytes.length, mode: 0o444, mtime: new Date(0) }, bytes);
  pack.finalize();
  await collected;
  const whole = Buffer.concat(chunks);
  // Without the two blocks that end a tar file.
  return whole.subarray(0, TAR_BLOCK + Math.ceil(bytes.length / TAR_BLOCK) * TAR_BLOCK);
}

/** Members of a tar file and where their bytes begin. */
export async function packEntries(source: NodeJS.ReadableStream): Promise<ReadonlyMap<string, number>> {
  const entries = new Map<string, number>();
  const extract = tar.extract();
  let at = 0;
  source.on('error', (error: Error) => {
    extract.destroy(error);
  });
  source.pipe(extract);
  for await (const entry of extract) {
    const { name, size } = entry.header;
    entries.set(name, at + TAR_BLOCK);
    at += TAR_BLOCK + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
    entry.resume();
  }
  return entries;
}

export function readLocal(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>;
}
