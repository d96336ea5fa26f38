import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { snappyUncompressor } from 'hysnappy';
import { ZSTDDecoder } from 'zstddec';
import { decompressLz4Frames } from './lz4-frame.ts';

/** The codecs of Kafka's record batches, by the number that their attributes hold. */
const CODECS: Readonly<Record<number, { readonly name: string; readonly decompress: Decompress }>> = {
  1: { name: 'gzip', decompress: (bytes, maxBytes) => promisify(gunzip)(bytes, { maxOutputLength: maxBytes }) },
  2: { name: 'snappy', decompress: (bytes, maxBytes) => Promise.resolve(decompressSnappy(bytes, maxBytes)) },
  3: { name: 'lz4', decompress: (bytes, maxBytes) => Promise.resolve(decompressLz4Frames(bytes, maxBytes)) },
  4: { name: 'zstd', decompress: decompressZstd },
};
type Decompress = (bytes: Buffer, maxBytes: number) => Promise<Buffer>;

/** What a codec is called; its number when Kafka has given it no meaning yet. */
export function codecName(codec: number): string {
  return CODECS[codec]?.name ?? `codec ${codec}`;
}

/**
 * Decompresses the records of a batch.
 *
 * @param codec 1 to 7, as in the batch's attributes.
 * @throws an error of the codec when the bytes are not what they should be or become more than `maxBytes`.
 */
export async function decompress(codec: number, bytes: Buffer, maxBytes: number): Promise<Buffer> {
  const known = CODECS[codec];
  if (known === undefined) throw new RangeError('this version knows no such codec');
  return known.decompress(bytes, maxBytes);
}

/** Java's clients, and others for their sake, cut Snappy into blocks behind this header and two version numbers. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;

let uncompressSnappy: ReturnType<typeof snappyUncompressor> | undefined;

/** Raw Snappy (https://github.com/google/snappy/blob/main/format_description.txt), or blocks of it as snappy-java frames them. */
function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return decompressSnappyBlock(bytes, maxBytes);
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > bytes.length) throw new RangeError('a Snappy block is cut off');
    const block = decompressSnappyBlock(bytes.subarray(at, at + length), maxBytes - total);
    total += block.length;
    blocks.push(block);
    at += length;
  }
  const [only] = blocks;
  return blocks.length === 1 && only !== undefined ? only : Buffer.concat(blocks, total);
}

function decompressSnappyBlock(block: Buffer, maxBytes: number): Buffer {
  const length = snappyLength(block);
  if (length > maxBytes) throw new RangeError('it becomes too large');
  uncompressSnappy ??= snappyUncompressor();
  return asBuffer(uncompressSnappy(block, length));
}

/** The uncompressed length with which a Snappy block begins: a varint of up to 32 bits. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let index = 0; index < 5; index++) {
    const byte = block.readUInt8(index);
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  throw new RangeError('a Snappy block without a length');
}

const zstd = new ZSTDDecoder();

async function decompressZstd(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  await zstd.init();
  const output = zstd.decode(bytes, maxBytes);
  // An error of zstd's shows as a negative length, which leaves nothing.
  if (output.length === 0) throw new RangeError(`not zstd, or it becomes more than ${maxBytes} bytes`);
  return asBuffer(output);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
