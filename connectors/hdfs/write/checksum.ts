import { createHash, type Hash } from 'node:crypto';
import { GridError } from '../../../grid/errors.ts';
import { CRC32, CRC32C, crc, type CrcTable } from './crc.ts';
import type { FileChecksum } from '../port.ts';

/** The CRC that a DataNode keeps for each chunk (`dfs.checksum.type`). */
export type CrcType = 'CRC32' | 'CRC32C';

/** Bytes under one CRC: HDFS's default (`dfs.bytes-per-checksum`), and what everybody uses. */
export const BYTES_PER_CRC = 512;

const TABLES: Record<CrcType, CrcTable> = { CRC32, CRC32C };
/** CRCs gathered before they go into the block's MD5: those of 1 MiB. */
const CRC_BUFFER_BYTES = 4 * 2048;

/**
 * HDFS's file checksum, computed from the bytes as they are sent, so that what lies in HDFS can be proven without reading it
 * back.
 *
 * Definition (Hadoop's `FileChecksumHelper`, `MD5MD5CRC32FileChecksum`): each 512 bytes have a CRC; a block's digest is the MD5
 * of its CRCs, big-endian; the file's is the MD5 of the block digests, padded with zeros to the capacity of the buffer they
 * are gathered in, which begins at 32 bytes and doubles. Reported are 4 bytes bytes-per-CRC, 8 bytes CRCs per block (0 when
 * there is just one block), the MD5, and 4 zero bytes.
 *
 * State between calls is the open chunk's CRC, at most 8 KiB of CRCs, and 16 bytes per finished block.
 */
export class FileDigest {
  readonly crcType: CrcType;
  readonly blockSizeBytes: number;
  #lengthBytes = 0;
  readonly #table: CrcTable;
  readonly #crcs = Buffer.allocUnsafe(CRC_BUFFER_BYTES);
  #crcsBytes = 0;
  #chunkCrc = 0;
  #chunkBytes = 0;
  #blockBytes = 0;
  #blockHash: Hash = createHash('md5');
  readonly #blockDigests: Buffer[] = [];

  /** @throws GridError `hdfs-refused`: a block size that is not a positive multiple of 512. */
  constructor(crcType: CrcType, blockSizeBytes: number) {
    if (!Number.isSafeInteger(blockSizeBytes) || blockSizeBytes <= 0 || blockSizeBytes % BYTES_PER_CRC !== 0) {
      throw new GridError(
        'hdfs-refused',
        `Preparing a file checksum: a block size of ${blockSizeBytes} bytes is not a positive multiple of ${BYTES_PER_CRC}. Correct dfs.blocksize.`,
      );
    }
    this.crcType = crcType;
    this.blockSizeBytes = blockSizeBytes;
    this.#table = TABLES[crcType];
  }

  /** Bytes taken in so far. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Takes in the next bytes of the file; any sizes, chunks and blocks need not align. */
  update(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let position = 0;
    while (position < bytes.length) {
      // A block ends only when the next byte comes: a file of exactly one block has one block digest, not two.
      if (this.#blockBytes === this.blockSizeBytes) this.#endBlock();
      const end = Math.min(bytes.length, position + this.blockSizeBytes - this.#blockBytes);
      this.#updateWithinBlock(view, position, end);
      this.#blockBytes += end - position;
      position = end;
    }
    this.#lengthBytes += bytes.length;
  }

  #updateWithinBlock(view: DataView, start: number, end: number): void {
    let position = start;
    if (this.#chunkBytes > 0) {
      const chunkEnd = Math.min(end, position + BYTES_PER_CRC - this.#chunkBytes);
      this.#chunkCrc = crc(this.#table, view, position, chunkEnd, this.#chunkCrc);
      this.#chunkBytes += chunkEnd - position;
      position = chunkEnd;
      if (this.#chunkBytes === BYTES_PER_CRC) this.#endChunk();
    }
    for (; position + BYTES_PER_CRC <= end; position += BYTES_PER_CRC) {
      this.#putCrc(crc(this.#table, view, position, position + BYTES_PER_CRC));
    }
    if (position < end) {
      this.#chunkCrc = crc(this.#table, view, position, end);
      this.#chunkBytes = end - position;
    }
  }

  #endChunk(): void {
    this.#putCrc(this.#chunkCrc);
    this.#chunkCrc = 0;
    this.#chunkBytes = 0;
  }

  #putCrc(value: number): void {
    if (this.#crcsBytes === CRC_BUFFER_BYTES) this.#flushCrcs();
    this.#crcs.writeInt32BE(value, this.#crcsBytes);
    this.#crcsBytes += 4;
  }

  #flushCrcs(): void {
    this.#blockHash.update(this.#crcs.subarray(0, this.#crcsBytes));
    this.#crcsBytes = 0;
  }

  #endBlock(): void {
    if (this.#chunkBytes > 0) this.#endChunk();
    this.#flushCrcs();
    this.#blockDigests.push(this.#blockHash.digest());
    this.#blockHash = createHash('md5');
    this.#blockBytes = 0;
  }

  /** The checksum of all bytes taken in. Ends the digest: `update()` must not be called afterwards. */
  finish(): FileChecksum {
    if (this.#blockBytes > 0) this.#endBlock();
    const blocks = this.#blockDigests.length;
    const crcsPerBlock = blocks > 1 ? this.blockSizeBytes / BYTES_PER_CRC : 0;
    // HDFS reports a file without blocks as one with no bytes under a CRC, of type CRC32 whatever the cluster's.
    const bytesPerCrc = blocks === 0 ? 0 : BYTES_PER_CRC;
    const type = blocks === 0 ? 'CRC32' : this.crcType;
    const bytes = Buffer.alloc(32);
    bytes.writeInt32BE(bytesPerCrc, 0);
    bytes.writeBigInt64BE(BigInt(crcsPerBlock), 4);
    digestOfBlocks(this.#blockDigests).copy(bytes, 12);
    return {
      algorithm: `MD5-of-${crcsPerBlock}MD5-of-${bytesPerCrc}${type}`,
      // The reply's `bytes` are these 28 (4 + 8 + 16) and a padding word.
      hex: bytes.toString('hex'),
    };
  }
}

function digestOfBlocks(digests: readonly Buffer[]): Buffer {
  const lengthBytes = digests.length * 16;
  let capacityBytes = 32;
  while (capacityBytes < lengthBytes) capacityBytes *= 2;
  const padded = Buffer.alloc(capacityBytes);
  digests.forEach((digest, index) => digest.copy(padded, index * 16));
  return createHash('md5').update(padded).digest();
}

/** The checksum of bytes that are at hand, as HDFS would report it for such a file. */
export function checksumOf(bytes: Uint8Array, crcType: CrcType, blockSizeBytes: number): FileChecksum {
  const digest = new FileDigest(crcType, blockSizeBytes);
  digest.update(bytes);
  return digest.finish();
}

/**
 * The CRC type of a reported checksum, when it is one that {@link FileDigest} can compute: `MD5-of-<n>MD5-of-512CRC32` or
 * `…CRC32C`; undefined for any other (other chunk sizes, COMPOSITE-CRC, the checksum of an empty file).
 */
export function crcTypeOf(checksum: FileChecksum): CrcType | undefined {
  const match = /^MD5-of-\d+MD5-of-512(CRC32C?)$/.exec(checksum.algorithm);
  return match?.[1] === 'CRC32' || match?.[1] === 'CRC32C' ? match[1] : undefined;
}

/** One text for a checksum, fit for manifests: `algorithm:hex`. */
export function checksumText(checksum: FileChecksum): string {
  return `${checksum.algorithm}:${checksum.hex}`;
}
