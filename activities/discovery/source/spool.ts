import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { GridError } from '../../../grid/errors.ts';
import { SMALL_FILE_BYTES, SourceProblem } from './legacy-source.ts';

export interface SpoolOptions {
  /** What the file should have. */
  readonly size: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Spooled {
  readonly sha256: string;
  readonly lengthBytes: number;
  /** All bytes, when they are few. */
  readonly bytes?: Buffer;
}

/**
 * Writes what is read to a file on this machine, which is replaced when it is there, and hashes it on the way.
 *
 * @throws SourceProblem `too-large`; GridError `disk-full`
 */
export async function writeSpool(
  chunks: AsyncIterable<Buffer>,
  to: string,
  { size, maxBytes, signal }: SpoolOptions,
): Promise<Spooled> {
  if (size > maxBytes) throw tooLarge(maxBytes);
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let lengthBytes = 0;
  const file = await open(to, 'w', 0o600);
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      lengthBytes += chunk.length;
      if (lengthBytes > maxBytes) throw tooLarge(maxBytes);
      // More than there was: it grows, and will be read again.
      if (lengthBytes > size) break;
      hash.update(chunk);
      if (size < SMALL_FILE_BYTES) kept.push(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    throw isDiskFull(error) ? diskFull(to, error) : error;
  } finally {
    await file.close();
  }
  return {
    sha256: hash.digest('hex'),
    lengthBytes,
    ...(size < SMALL_FILE_BYTES ? { bytes: Buffer.concat(kept) } : {}),
  };
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

export function diskFull(path: string, cause: unknown): GridError {
  return new GridError(
    'disk-full',
    `Writing ${path}: the disk is full. Free some space, or set LEGACY_WORK_DIRECTORY to a disk with more room, and start the crawl again.`,
    { cause },
  );
}

function tooLarge(maxBytes: number): SourceProblem {
  return new SourceProblem('too-large', `it has more than ${maxBytes} bytes (LEGACY_MAX_FILE_BYTES)`);
}
