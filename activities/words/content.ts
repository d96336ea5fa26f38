import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import iconv from 'iconv-lite';
import bunzip2 from 'unbzip2-stream';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';

export type Compression = 'gzip' | 'bzip2';

/** What Hadoop takes a file's compression from: the end of its name. Further ones need libraries that not every cluster has. */
export function compressionByName(path: string): Compression | 'unknown' | undefined {
  if (path.endsWith('.gz')) return 'gzip';
  if (path.endsWith('.bz2')) return 'bzip2';
  return /\.(?:deflate|zst|zstd|lz4|snappy|lzo|lzo_deflate|xz)$/.test(path) ? 'unknown' : undefined;
}

/** What the bytes themselves begin like (RFC 1952; bzip2's `BZh` and block size). */
export function compressionByContent(head: Buffer): Compression | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return 'gzip';
  return /^BZh[1-9]/.test(head.subarray(0, 4).toString('latin1')) ? 'bzip2' : undefined;
}

/** More characters than a head ever needs are not decompressed for it. */
class Enough extends Error {}

/**
 * The first `most` bytes of a stream, decompressed.
 *
 * @param pieces filled with what came out, for who can do with less when it fails
 * @throws what the decompression fails with
 */
export async function headOf(
  source: Readable,
  compression: Compression | undefined,
  most: number,
  pieces: Buffer[] = [],
): Promise<Buffer> {
  let length = 0;
  const collect = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pieces.push(chunk);
      length += chunk.length;
      done(length >= most ? new Enough() : undefined);
    },
  });
  collect.resume();
  try {
    await pipeline([source, ...decompressions(compression), collect]);
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return Buffer.concat(pieces).subarray(0, most);
}

/** Reads a file to its end, decompressed and decoded; each piece of text goes to `take`. @throws TypeError: a byte that the charset does not have */
export async function readText(
  source: Readable,
  { compression, charset }: { readonly compression: Compression | undefined; readonly charset: string },
  take: (text: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const decoder = decoderOf(charset);
  const decode = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let text: string;
      try {
        text = decoder.decode(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      take(text).then(() => {
        done();
      }, done);
    },
    flush(done) {
      try {
        take(decoder.end()).then(() => {
          done();
        }, done);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  decode.resume();
  await pipeline([source, ...decompressions(compression), decode], { signal });
}

/** Writes a copy of a file as plain UTF-8. */
export async function convert(
  hdfs: HdfsClient,
  from: { readonly path: string; readonly compression: Compression | undefined; readonly charset: string },
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const writer = await hdfs.create(to, { createParent: true, overwrite: true });
  try {
    await readText(await hdfs.read(from.path), from, (text) => writer.write(Buffer.from(text)), signal);
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function decompressions(compression: Compression | undefined): NodeJS.ReadWriteStream[] {
  if (compression === 'gzip') return [createGunzip()];
  return compression === 'bzip2' ? [bunzip2()] : [];
}

interface Decoder {
  decode(chunk: Buffer): string;
  end(): string;
}

/** Refuses what the charset does not have, where the decoder can tell: a replacement would be counted as a character. */
function decoderOf(charset: string): Decoder {
  if (charset.startsWith('utf-32')) {
    // Not among those of the Encoding Standard.
    const decoder = iconv.getDecoder(charset);
    return { decode: (chunk) => decoder.write(chunk), end: () => decoder.end() ?? '' };
  }
  const decoder = new TextDecoder(charset, { fatal: true });
  return { decode: (chunk) => decoder.decode(chunk, { stream: true }), end: () => decoder.decode() };
}
