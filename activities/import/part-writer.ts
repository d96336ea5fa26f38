import { once } from 'node:events';
import type { TransformOptions } from 'node:stream';
import { constants, createGzip, type Gzip, type ZlibOptions } from 'node:zlib';
import type { HdfsClient, HdfsWriter } from '../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../grid/errors.ts';

/** Text that may wait for gzip: two blocks of the source, so that the next one is checked while the last one is compressed. */
const QUEUE_BYTES = 2 << 20;
/** Of gzip's output: what is compressed of a block goes out in one piece. */
const OUTPUT_BYTES = 256 << 10;

/** All that Node's streams take is passed on to them. */
const GZIP: ZlibOptions & Pick<TransformOptions, 'writableHighWaterMark'> = {
  level: constants.Z_BEST_SPEED,
  memLevel: 9,
  chunkSize: OUTPUT_BYTES,
  writableHighWaterMark: QUEUE_BYTES,
};

/** A file that lies in HDFS as it was given. */
export interface WrittenPart {
  readonly path: string;
  readonly fileId: number;
  readonly fileBytes: number;
}

/**
 * A split's file: text in, gzip on Node's thread pool, out to HDFS. Level 1: measured on telemetry it is half the time of level 6 for a
 * sixth more bytes, and the time is what bounds an import. The header holds no time, so the same text gives the same file.
 *
 * Modes: `open` → `closing` → `closed`; from the first two → `failed` or `aborted`. It holds up to {@link QUEUE_BYTES} of text and
 * a piece of output.
 */
export class PartWriter {
  readonly path: string;
  readonly #hdfs: HdfsClient;
  readonly #gzip: Gzip;
  readonly #writer: HdfsWriter;
  /** Ends when gzip's output is with HDFS; it is looked at by whoever waits. */
  readonly #sending: Promise<void>;
  #failure: unknown;
  #textBytes = 0;

  private constructor(hdfs: HdfsClient, path: string, writer: HdfsWriter) {
    this.path = path;
    this.#hdfs = hdfs;
    this.#writer = writer;
    this.#gzip = createGzip(GZIP);
    this.#sending = this.#send();
    // Whoever writes or closes is told; between two calls nobody listens.
    this.#sending.catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** @throws GridError `hdfs-not-found`: the directory is gone. */
  static async create(hdfs: HdfsClient, path: string): Promise<PartWriter> {
    return new PartWriter(hdfs, path, await hdfs.create(path));
  }

  /** Text given so far. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** Takes a chunk, whose memory is ours from then on; resolves when there is room for the next one. */
  async write(chunk: Buffer): Promise<void> {
    if (this.#failure !== undefined) await this.#sending;
    this.#textBytes += chunk.length;
    if (this.#gzip.write(chunk)) return;
    await this.#orFailure(once(this.#gzip, 'drain'));
  }

  /** Ends the file and proves that it lies in HDFS as it was sent. @throws GridError as `HdfsWriter.close` */
  async close(): Promise<WrittenPart> {
    this.#gzip.end();
    await this.#sending;
    const { lengthBytes } = await this.#writer.close();
    const status = await this.#hdfs.status(this.path);
    if (status === undefined) {
      throw new GridError('hdfs-not-found', `Closing ${this.path}: it is gone. Its directory was deleted meanwhile.`);
    }
    return { path: this.path, fileId: status.fileId, fileBytes: lengthBytes };
  }

  /** Gives the file up, which stays in part; never rejects. */
  async abort(): Promise<void> {
    this.#gzip.destroy();
    await this.#writer.abort();
    await this.#sending.catch(() => undefined);
  }

  async #send(): Promise<void> {
    try {
      for await (const piece of this.#gzip) if (piece instanceof Buffer) await this.#writer.write(piece);
    } finally {
      // Lets go of whoever waits for room.
      this.#gzip.destroy();
    }
  }

  async #orFailure(waiting: Promise<unknown>): Promise<void> {
    // `once` rejects when gzip is destroyed with an error only; without one `#sending` ends.
    waiting.catch(() => undefined);
    await Promise.race([waiting, this.#sending]);
    if (this.#failure !== undefined) await this.#sending;
  }
}
