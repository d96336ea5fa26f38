import { Readable } from 'node:stream';
import { GridError } from '../../grid/errors.ts';
import type { CrcType } from './write/checksum.ts';
import { ifThere } from './if-there.ts';
import type {
  CreateOptions,
  FileChecksum,
  FileStatus,
  HdfsHealth,
  HdfsOptions,
  HdfsPort,
  HdfsWriter,
  ReadRange,
  WrittenFile,
} from './port.ts';
import { hostOf, NameNodes, type Operation } from './name-node/name-nodes.ts';
import { encodeHdfsPath } from './path.ts';
import { openDownload } from './read/download.ts';
import {
  announcedCrcTypeIn,
  booleanIn,
  checksumIn,
  healthIn,
  listingIn,
  locationIn,
  statusIn,
} from './name-node/reply.ts';
import { lostRefusal } from './write/lost-refusal.ts';
import { Uploads } from './write/uploads.ts';
import { sentBytes, verify } from './write/verification.ts';
import { VerifiedWriter } from './write/writer.ts';

/** WebHDFS behind the port {@link HdfsPort}; see there. One client serves a whole process. */
export class HdfsClient implements HdfsPort {
  readonly #callTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #nameNodes: NameNodes;
  readonly #uploads: Uploads;
  /** What the cluster sums with: as seen last, before that as it says. A wrong guess costs reading a file back. */
  #crcType: CrcType | undefined;

  /** @throws GridError `invalid-configuration`: no NameNode is named. */
  constructor(options: HdfsOptions) {
    this.#callTimeoutMs = options.callTimeoutMs ?? 15_000;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 30_000;
    this.#nameNodes = new NameNodes({
      urls: options.nameNodeUrls,
      user: options.user,
      callTimeoutMs: this.#callTimeoutMs,
      retry: {
        retries: options.retries ?? 4,
        minDelayMs: options.retryMinDelayMs ?? 100,
        maxDelayMs: options.retryMaxDelayMs ?? 2_000,
        maxTotalMs: this.#callTimeoutMs,
        onRetry: options.onRetry,
      },
    });
    this.#uploads = new Uploads({
      nameNodes: this.#nameNodes,
      callTimeoutMs: this.#callTimeoutMs,
      idleTimeoutMs: this.#idleTimeoutMs,
      status: (path) => this.status(path),
    });
  }

  async create(path: string, options: CreateOptions = {}): Promise<HdfsWriter> {
    // An old file stands there until the DataNode has asked for the new one: only the inode tells them apart.
    const old = await this.status(path);
    if (old !== undefined && options.overwrite !== true) {
      throw new GridError(
        'hdfs-already-exists',
        `CREATE ${path}: a ${old.type} of this name is there. Look at it before going on.`,
      );
    }
    const crcType = this.#crcType ?? (await this.#announcedCrcType());
    const upload = await this.#uploads.open(path, options);
    try {
      const status = await this.#uploads.untilCreated(path, upload, old?.fileId);
      return new VerifiedWriter({
        path,
        upload,
        crcType,
        blockSizeBytes: status.blockSizeBytes,
        verify: (sent) => verify(this, sent, this.#learnCrcType),
      });
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  async writeFile(path: string, bytes: Buffer, options: CreateOptions = {}): Promise<WrittenFile> {
    const upload = await this.#uploads.open(path, options);
    try {
      await upload.write(bytes);
      await upload.close();
    } catch (error) {
      await upload.abort();
      throw await lostRefusal(error, {
        path,
        createParent: options.createParent ?? false,
        overwrite: options.overwrite ?? false,
        status: (at) => this.status(at),
        isWritten: () => this.#holds(path, bytes),
      });
    }
    return verify(this, sentBytes(path, bytes), this.#learnCrcType);
  }

  async #holds(path: string, bytes: Buffer): Promise<boolean> {
    try {
      await verify(this, sentBytes(path, bytes), this.#learnCrcType);
      return true;
    } catch (error) {
      if (error instanceof GridError && error.code === 'hdfs-verification-failed') return false;
      throw error;
    }
  }

  async rename(from: string, to: string): Promise<boolean> {
    // The destination goes into the query, which the driver encodes; here it is only checked.
    encodeHdfsPath(to);
    return this.#nameNodes.call(
      {
        method: 'PUT',
        name: 'RENAME',
        path: from,
        parameters: { destination: to },
        repeatable: 'if-not-received',
      },
      booleanIn,
    );
  }

  async delete(path: string, options: { readonly recursive?: boolean } = {}): Promise<boolean> {
    return this.#nameNodes.call(
      {
        method: 'DELETE',
        name: 'DELETE',
        path,
        parameters: { recursive: String(options.recursive ?? false) },
        repeatable: 'any-time',
      },
      booleanIn,
    );
  }

  async makeDirectory(path: string): Promise<void> {
    const operation: Operation = { method: 'PUT', name: 'MKDIRS', path, repeatable: 'any-time' };
    if (!(await this.#nameNodes.call(operation, booleanIn))) {
      throw new GridError('hdfs-refused', `MKDIRS ${path}: the NameNode answered false. See its log for the reason.`);
    }
  }

  async status(path: string): Promise<FileStatus | undefined> {
    return ifThere(this.#nameNodes.call(read('GETFILESTATUS', path), (reply) => statusIn(reply, path)));
  }

  async *list(path: string): AsyncGenerator<FileStatus, void, undefined> {
    let after: string | undefined;
    for (;;) {
      const operation = read('LISTSTATUS_BATCH', path, after === undefined ? {} : { startAfter: after });
      const page = await this.#nameNodes.call(operation, (reply) => listingIn(reply, path));
      if (page.isFile) {
        throw new GridError('hdfs-refused', `Listing ${path}: it is a file. Name a directory.`);
      }
      yield* page.entries;
      const last = page.entries.at(-1);
      if (page.remaining === 0 || last === undefined) return;
      after = last.name;
    }
  }

  async checksum(path: string): Promise<FileChecksum> {
    const operation = read('GETFILECHECKSUM', path, { noredirect: 'true' });
    return this.#nameNodes.call(operation, async (reply) =>
      checksumIn(await this.#nameNodes.follow(locationIn(reply), operation)),
    );
  }

  async read(path: string, range: ReadRange = {}): Promise<Readable> {
    const { lengthBytes } = await this.#fileToRead(path);
    const offset = Math.min(range.offset ?? 0, lengthBytes);
    const length = Math.min(range.length ?? Number.MAX_SAFE_INTEGER, lengthBytes - offset);
    return this.#download(path, offset, length, (stream) => Promise.resolve(stream));
  }

  async readFile(path: string, options: { readonly maxBytes: number }): Promise<Buffer> {
    const { lengthBytes } = await this.#fileToRead(path);
    if (lengthBytes > options.maxBytes) {
      throw new GridError(
        'hdfs-refused',
        `Reading ${path}: it has ${lengthBytes} bytes, more than the ${options.maxBytes} expected. Read it as a stream.`,
      );
    }
    // Small enough to be read again from the start when the stream breaks.
    return this.#download(path, 0, lengthBytes, async (stream) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) if (chunk instanceof Buffer) chunks.push(chunk);
      return Buffer.concat(chunks);
    });
  }

  async health(): Promise<HdfsHealth> {
    await this.#nameNodes.callOnce(read('GETFILESTATUS', '/'));
    const nameNodeUrl = this.#nameNodes.activeUrl;
    const report = await this.#stateOfNameNode();
    if (report === undefined) return { nameNodeUrl, liveDataNodes: undefined };
    if (report.state !== 'Operational') {
      throw new GridError(
        'hdfs-safe-mode',
        `Looking at HDFS: the NameNode ${nameNodeUrl} is in the state ${report.state}. It leaves safe mode when its DataNodes have reported.`,
      );
    }
    if (report.liveDataNodes === 0) {
      throw new GridError(
        'hdfs-unavailable',
        `Looking at HDFS: the NameNode ${nameNodeUrl} knows no live DataNode. Start one, or see its log.`,
      );
    }
    return { nameNodeUrl, liveDataNodes: report.liveDataNodes };
  }

  async close(): Promise<void> {
    this.#nameNodes.close();
    await this.#uploads.close();
  }

  async #fileToRead(path: string): Promise<FileStatus> {
    const status = await this.status(path);
    if (status === undefined) throw new GridError('hdfs-not-found', `Reading ${path}: there is no such file.`);
    if (status.type !== 'file') throw new GridError('hdfs-refused', `Reading ${path}: it is a ${status.type}.`);
    return status;
  }

  /** Opens a part of a file, and `take`s the stream; repeated as a whole for as long as `take` has not resolved. */
  async #download<T>(
    path: string,
    offset: number,
    expectedBytes: number,
    take: (stream: Readable) => Promise<T>,
  ): Promise<T> {
    // HDFS refuses an offset at the end, and a length of 0.
    if (expectedBytes <= 0) return take(Readable.from([]));
    const parameters = { noredirect: 'true', offset: String(offset), length: String(expectedBytes) };
    return this.#nameNodes.call(read('OPEN', path, parameters), async (reply) => {
      const url = locationIn(reply);
      const stream = await openDownload({
        url,
        attempt: { operation: 'OPEN', path, server: `DataNode ${hostOf(url)}` },
        expectedBytes,
        openTimeoutMs: this.#callTimeoutMs,
        idleTimeoutMs: this.#idleTimeoutMs,
        closing: this.#nameNodes.closing,
      });
      return take(stream);
    });
  }

  readonly #learnCrcType = (type: CrcType): void => {
    this.#crcType = type;
  };

  /** The CRC type that the NameNode is configured for; the DataNodes, which are what counts, mostly are as well. */
  async #announcedCrcType(): Promise<CrcType> {
    try {
      this.#crcType = await this.#nameNodes.call(read('GETSERVERDEFAULTS', '/'), announcedCrcTypeIn);
    } catch (error) {
      // Hadoop before 3.1 does not know the question.
      if (!(error instanceof GridError) || error.code !== 'hdfs-refused') throw error;
    }
    return (this.#crcType ??= 'CRC32C');
  }

  /** State and DataNodes as `/jmx` tells; undefined where it is closed. */
  async #stateOfNameNode(): Promise<ReturnType<typeof healthIn>> {
    try {
      const reply = await this.#nameNodes.page('/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState');
      return healthIn(reply.body);
    } catch (error) {
      if (error instanceof GridError && (error.code === 'hdfs-refused' || error.code === 'hdfs-denied'))
        return undefined;
      throw error;
    }
  }
}

/** An operation that changes nothing. */
function read(name: string, path: string, parameters: Readonly<Record<string, string>> = {}): Operation {
  return { method: 'GET', name, path, parameters, repeatable: 'any-time' };
}
