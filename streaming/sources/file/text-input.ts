import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GridError } from '../../../grid/errors.ts';

const CHUNK_BYTES = 256 * 1_024;

/** Whether a file is gzip, which its name says. */
export function isCompressed(path: string): boolean {
  return path.endsWith('.gz');
}

/**
 * The bytes of a text file from a place on, decompressed where its name says that it is gzip; for that it is read from its beginning.
 * Nothing comes when it ends before that place.
 *
 * @throws what the system or the decompression says; see {@link readFailure}
 */
export async function* readBytes(
  path: string,
  startByte: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  const compressed = isCompressed(path);
  const input = openInput(path, compressed ? 0 : startByte, compressed);
  const abort = (): void => {
    input.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  let toSkip = compressed ? startByte : 0;
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      const skipped = Math.min(toSkip, chunk.length);
      toSkip -= skipped;
      if (skipped < chunk.length) yield chunk.subarray(skipped);
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    input.destroy();
  }
}

function openInput(path: string, startByte: number, compressed: boolean): Readable {
  const file = createReadStream(path, { start: startByte, highWaterMark: CHUNK_BYTES });
  if (!compressed) return file;
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  file.on('error', (error) => gunzip.destroy(error));
  gunzip.on('close', () => file.destroy());
  return file.pipe(gunzip);
}

/**
 * What it means that reading a file failed.
 *
 * @param row the line that was to be read
 */
export function readFailure(error: unknown, path: string, row: number): GridError {
  if (error instanceof GridError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z_')) {
    return new GridError(
      'malformed-source-data',
      `Reading ${path}: its gzip stream is broken or cut off behind line ${row - 1} (${detail}). All lines before that were read; get the file anew.`,
      { cause: error },
    );
  }
  return new GridError(
    'source-unavailable',
    `Reading ${path} at line ${row}: ${detail}. Check that the file is there and may be read.`,
    { cause: error },
  );
}
