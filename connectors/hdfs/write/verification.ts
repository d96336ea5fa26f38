import { GridError } from '../../../grid/errors.ts';
import { BYTES_PER_CRC, checksumOf, checksumText, crcTypeOf, FileDigest, type CrcType } from './checksum.ts';
import type { FileChecksum, HdfsPort, WrittenFile } from '../port.ts';

/** Reads that verification needs. */
type Reads = Pick<HdfsPort, 'status' | 'checksum' | 'read'>;

/** What was sent, as far as it has to be known to prove that it arrived. */
export interface SentFile {
  readonly path: string;
  readonly lengthBytes: number;
  /** The checksum that HDFS has to report if its CRCs are of `crcType` and its blocks of this size. */
  checksum(crcType: CrcType, blockSizeBytes: number): FileChecksum | undefined;
  /** A digest of what was sent, and an empty one of the same kind to take in what is read back. */
  readBack(): { readonly sent: FileChecksum; readonly digest: FileDigest };
}

/** What was written through a stream: only its digest is left. */
export function sentStream(path: string, digest: FileDigest): SentFile {
  const sent = digest.finish();
  return {
    path,
    lengthBytes: digest.lengthBytes,
    checksum: (crcType, blockSizeBytes) =>
      digest.lengthBytes === 0 || (crcType === digest.crcType && blockSizeBytes === digest.blockSizeBytes)
        ? sent
        : undefined,
    readBack: () => ({ sent, digest: new FileDigest(digest.crcType, digest.blockSizeBytes) }),
  };
}

/** What was written in one piece and is still at hand. */
export function sentBytes(path: string, bytes: Buffer): SentFile {
  const blockSizeBytes = Math.ceil(Math.max(bytes.length, 1) / BYTES_PER_CRC) * BYTES_PER_CRC;
  return {
    path,
    lengthBytes: bytes.length,
    checksum: (crcType, size) => checksumOf(bytes, crcType, size),
    readBack: () => ({
      sent: checksumOf(bytes, 'CRC32C', blockSizeBytes),
      digest: new FileDigest('CRC32C', blockSizeBytes),
    }),
  };
}

/**
 * Proves that a file in HDFS is what was sent: its length, and its checksum as HDFS computes it from its replicas. Where HDFS sums
 * in a way that cannot be compared (the cluster's CRC type was guessed wrong, COMPOSITE-CRC), the file is read back.
 *
 * @param onCrcType told of the CRC type that the cluster uses
 * @throws GridError `hdfs-not-found`, `hdfs-verification-failed`, and what the reads throw.
 */
export async function verify(reads: Reads, file: SentFile, onCrcType: (type: CrcType) => void): Promise<WrittenFile> {
  const { path, lengthBytes } = file;
  const [status, actual] = await Promise.all([reads.status(path), reads.checksum(path)]);
  if (status === undefined) {
    throw new GridError(
      'hdfs-not-found',
      `Verifying ${path}: it is gone. It was deleted or its directory renamed meanwhile.`,
    );
  }
  if (status.lengthBytes !== lengthBytes) {
    throw new GridError(
      'hdfs-verification-failed',
      `Verifying ${path}: HDFS has ${status.lengthBytes} bytes, ${lengthBytes} were written. Delete it and write it again.`,
    );
  }
  const crcType = crcTypeOf(actual);
  if (crcType !== undefined) onCrcType(crcType);
  const expected = file.checksum(crcType ?? 'CRC32', status.blockSizeBytes);
  const comparable = expected !== undefined && (crcType !== undefined || lengthBytes === 0);
  if (!comparable) await readBack(reads, file);
  else if (checksumText(expected) !== checksumText(actual))
    throw mismatch(path, checksumText(expected), checksumText(actual));
  return { path, lengthBytes, checksum: checksumText(actual) };
}

async function readBack(reads: Reads, file: SentFile): Promise<void> {
  const { sent, digest } = file.readBack();
  for await (const chunk of await reads.read(file.path)) {
    if (chunk instanceof Buffer) digest.update(chunk);
  }
  const found = digest.finish();
  if (checksumText(found) !== checksumText(sent)) throw mismatch(file.path, checksumText(sent), checksumText(found));
}

function mismatch(path: string, expected: string, actual: string): GridError {
  return new GridError(
    'hdfs-verification-failed',
    `Verifying ${path}: the checksum in HDFS is ${actual}, of what was written ${expected}. Delete it and write it again.`,
  );
}
