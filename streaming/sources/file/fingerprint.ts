import { createHash } from 'node:crypto';
import { readBytes, readFailure } from './text-input.ts';

/** What stands before a place in a text, to know later whether it is still the same text. */
export interface Fingerprint {
  /** How many bytes before the place it is of. */
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Enough that the times of some rows are in it, however wide a table is. */
export const FINGERPRINT_BYTES = 64 * 1_024;

/** Of the end of the bytes that lead up to a place. */
export function fingerprintOf(before: Buffer): Fingerprint {
  const last = lastBytes(before);
  return { bytes: last.length, sha256: createHash('sha256').update(last).digest('hex') };
}

/** As many of the last bytes as a fingerprint is of. */
export function lastBytes(bytes: Buffer): Buffer {
  return bytes.length <= FINGERPRINT_BYTES ? bytes : bytes.subarray(bytes.length - FINGERPRINT_BYTES);
}

/**
 * Whether the text of a file still has before a place (in bytes of the text) what it had when `known` was taken there.
 *
 * @throws GridError `source-unavailable`, `malformed-source-data`: it cannot be read up to there
 */
export async function compareFingerprint(
  path: string,
  byte: number,
  known: Fingerprint,
): Promise<'same' | 'other' | 'shorter'> {
  const hash = createHash('sha256');
  let left = known.bytes;
  try {
    for await (const chunk of readBytes(path, byte - known.bytes)) {
      hash.update(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0) break;
    }
  } catch (error) {
    throw readFailure(error, path, 1);
  }
  if (left > 0) return 'shorter';
  return hash.digest('hex') === known.sha256 ? 'same' : 'other';
}
