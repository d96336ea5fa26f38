import { FileDigest, type CrcType } from './checksum.ts';
import type { HdfsWriter, WrittenFile } from '../port.ts';
import type { DataNodeUpload } from './upload.ts';
import { sentStream, type SentFile } from './verification.ts';

export interface VerifiedWriterOptions {
  readonly path: string;
  readonly upload: DataNodeUpload;
  readonly crcType: CrcType;
  readonly blockSizeBytes: number;
  readonly verify: (sent: SentFile) => Promise<WrittenFile>;
}

/** A stream to a DataNode that keeps HDFS's checksum of what passes, and compares at the end. */
export class VerifiedWriter implements HdfsWriter {
  readonly path: string;
  readonly #upload: DataNodeUpload;
  readonly #digest: FileDigest;
  readonly #verify: (sent: SentFile) => Promise<WrittenFile>;

  constructor(options: VerifiedWriterOptions) {
    this.path = options.path;
    this.#upload = options.upload;
    this.#digest = new FileDigest(options.crcType, options.blockSizeBytes);
    this.#verify = options.verify;
  }

  get lengthBytes(): number {
    return this.#digest.lengthBytes;
  }

  write(chunk: Buffer): Promise<void> {
    // Summed while the DataNode works on the bytes: the two cost about the same.
    return this.#upload.write(chunk, () => {
      this.#digest.update(chunk);
    });
  }

  async close(): Promise<WrittenFile> {
    try {
      await this.#upload.close();
    } catch (error) {
      await this.#upload.abort();
      throw error;
    }
    return this.#verify(sentStream(this.path, this.#digest));
  }

  async abort(): Promise<void> {
    await this.#upload.abort();
  }
}
