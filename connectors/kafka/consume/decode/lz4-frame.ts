import { decompressBlock } from 'lz4js';

const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const STORED_BLOCK = 0x80000000;
/** Largest block of a frame by its block size code, bytes. */
const BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20 };

/**
 * Decompresses LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), with blocks that refer to earlier ones or
 * not. Checksums are passed over: a record batch has one of its own over the compressed bytes.
 *
 * @throws RangeError when the bytes are no LZ4 frames, are cut off, or become more than `maxBytes`.
 */
export function decompressLz4Frames(bytes: Buffer, maxBytes: number): Buffer {
  const output = new GrowingBuffer(Math.min(maxBytes, 4 * bytes.length), maxBytes);
  for (let at = 0; at < bytes.length;) {
    const magic = bytes.readUInt32LE(at);
    if (magic === FRAME_MAGIC) at = readFrame(bytes, at, output);
    else if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) at += 8 + bytes.readUInt32LE(at + 4);
    else throw new RangeError('not an LZ4 frame');
  }
  return output.bytes();
}

/** Reads the frame at `start`; the index behind it. */
function readFrame(bytes: Buffer, start: number, output: GrowingBuffer): number {
  const flags = bytes.readUInt8(start + 4);
  if (flags >>> 6 !== 1) throw new RangeError(`LZ4 frame version ${flags >>> 6} is unknown`);
  if ((flags & 0b1) !== 0) throw new RangeError('an LZ4 frame with a dictionary');
  const blockBytes = BLOCK_BYTES[(bytes.readUInt8(start + 5) >>> 4) & 0b111];
  if (blockBytes === undefined) throw new RangeError('an LZ4 frame of an unknown block size');
  const hasBlockChecksums = (flags & 0b1_0000) !== 0;
  const hasContentSize = (flags & 0b1000) !== 0;
  const hasContentChecksum = (flags & 0b100) !== 0;
  let at = start + 6 + (hasContentSize ? 8 : 0) + 1;
  for (;;) {
    const word = bytes.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const length = word & ~STORED_BLOCK;
    if (at + length > bytes.length) throw new RangeError('an LZ4 block is cut off');
    if ((word & STORED_BLOCK) !== 0) output.store(bytes.subarray(at, at + length));
    else output.decompress(bytes, at, length, blockBytes);
    at += length + (hasBlockChecksums ? 4 : 0);
  }
  return at + (hasContentChecksum ? 4 : 0);
}

class GrowingBuffer {
  readonly #maxBytes: number;
  #buffer: Buffer;
  #length = 0;

  constructor(initialBytes: number, maxBytes: number) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
    this.#maxBytes = maxBytes;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  store(block: Buffer): void {
    this.#makeRoom(block.length);
    this.#moveTo(this.#length + block.copy(this.#buffer, this.#length));
  }

  /** The decoder checks no bounds; what it writes outside of the buffer is dropped, so room for the largest block has to be there. */
  decompress(source: Buffer, start: number, length: number, blockBytes: number): void {
    this.#makeRoom(blockBytes);
    const end = decompressBlock(source, this.#buffer, start, length, this.#length);
    if (!(end <= this.#length + blockBytes)) throw new RangeError('an LZ4 block becomes larger than its frame allows');
    this.#moveTo(end);
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  #moveTo(end: number): void {
    if (end > this.#maxBytes) throw new RangeError(`it becomes more than ${this.#maxBytes} bytes`);
    this.#length = end;
  }
}
