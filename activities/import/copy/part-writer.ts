import { constants, createGzip, type Gzip, type ZlibOptions } from 'node:zlib';
import type { HdfsClient, HdfsWriter } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';

/** Of gzip's output: what is compressed of a block goes out in one piece. */
const OUTPUT_BYTES = 256 << 10;

/** Rows that gzip looks back over, and the limits of its window as powers of two (zlib's are 9 and 15). */
const ROWS_IN_WINDOW = 16;
const LEAST_WINDOW_BITS = 11;
const MOST_WINDOW_BITS = 15;

/**
 * Rows of a table look like the few before them, and a distance costs fewer bits and less memory traffic when it is short:
 * measured on telemetry of 70 bytes a row, a window of 2 KiB gives a file an eighth smaller in a fifth less time than one of
 * 32 KiB. Level 1: half the time of level 6 for a sixth more bytes, and the time is what bounds an import.
 */
function gzipOptions(rowBytes: number): ZlibOptions {
  const fitting = Math.ceil(Math.log2(Math.max(1, rowBytes * ROWS_IN_WINDOW)));
  const windowBits = Math.min(MOST_WINDOW_BITS, Math.max(LEAST_WINDOW_BITS, fitting));
  return { level: constants.Z_BEST_SPEED, memLevel: 9, windowBits, chunkSize: OUTPUT_BYTES };
}

/** A file that lies in HDFS as it was given. */
export interface WrittenPart {
  readonly path: string;
  readonly fileId: number;
  readonly fileBytes: number;
}

/**
 * A split's file: text in, gzip on Node's thread pool, out to HDFS. The header holds no time, so the same text gives the same file.
 *
 * Modes: `open` → `closing` → `closed`; from the first two → `failed` or `aborted`. It holds the text
 * that is being compressed and a piece of output.
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

  private constructor(hdfs: HdfsClient, path: string, writer: HdfsWriter, rowBytes: number) {
    this.path = path;
    this.#hdfs = hdfs;
    this.#writer = writer;
    this.#gzip = createGzip(gzipOptions(rowBytes));
    this.#sending = this.#send();
    // Whoever writes or closes is told; between two calls nobody listens.
    this.#sending.catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /**
   * @param rowBytes of a row's text, about
   * @throws GridError `hdfs-not-found`: the directory is gone.
   */
  static async create(hdfs: HdfsClient, path: string, rowBytes: number): Promise<PartWriter> {
    return new PartWriter(hdfs, path, await hdfs.create(path), rowBytes);
  }

  /** Text given so far. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** Compresses a chunk; its memory is not needed any more when the promise resolves. */
  async write(chunk: Buffer): Promise<void> {
    if (this.#failure !== undefined) await this.#sending;
    this.#textBytes += chunk.length;
    await this.#orFailure(
      new Promise<void>((resolve) => {
        // Of an error `#sending` tells.
        this.#gzip.write(chunk, (error) => {
          resolve(error == null ? undefined : this.#sending);
        });
      }),
    );
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

  async #orFailure(waiting: Promise<void>): Promise<void> {
    await Promise.race([waiting, this.#sending]);
    if (this.#failure !== undefined) await this.#sending;
  }
}
