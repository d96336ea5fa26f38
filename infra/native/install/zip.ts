import { closeSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { GridError } from '../../../grid/errors.ts';

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
const LONGEST_COMMENT_BYTES = 65_535;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;

/** Where to put a file of an archive, and with which permissions instead of the archive's. */
export interface Unpacked {
  readonly path: string;
  readonly mode?: number;
}

/**
 * Unpacks those files of a zip archive (jar, wheel) for which `choose` answers a place, into `directory`. For archives that were checked against a lock file: up to 4 GiB, no encryption
 * (PKWARE's APPNOTE, sections 4.3.6–4.3.16).
 */
export function unzip(archive: string, directory: string, choose: (name: string) => Unpacked | undefined): number {
  const file = openSync(archive, 'r');
  try {
    let count = 0;
    for (const entry of readDirectory(file, archive)) {
      const target = entry.name.endsWith('/') ? undefined : choose(entry.name);
      if (target === undefined) continue;
      const path = join(directory, normalize(`/${target.path}`));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, readEntry(file, entry), { mode: target.mode ?? entry.mode });
      count += 1;
    }
    return count;
  } finally {
    closeSync(file);
  }
}

interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  readonly compressedBytes: number;
  readonly headerOffset: number;
  readonly mode: number;
}

function readDirectory(file: number, archive: string): ZipEntry[] {
  const sizeBytes = statSync(archive).size;
  const tail = read(file, Math.max(0, sizeBytes - END_OF_DIRECTORY_BYTES - LONGEST_COMMENT_BYTES), sizeBytes);
  let end = tail.length - END_OF_DIRECTORY_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
  if (end < 0)
    throw new GridError('checksum-mismatch', `Unpacking ${archive}: it is not a zip archive. Remove it and try again.`);
  const directoryBytes = tail.readUInt32LE(end + 12);
  const directoryOffset = tail.readUInt32LE(end + 16);
  const directory = read(file, directoryOffset, directoryOffset + directoryBytes);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY;) {
    const nameBytes = directory.readUInt16LE(at + 28);
    const mode = (directory.readUInt32LE(at + 38) >>> 16) & 0o777;
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      deflated: directory.readUInt16LE(at + 10) === 8,
      compressedBytes: directory.readUInt32LE(at + 20),
      headerOffset: directory.readUInt32LE(at + 42),
      // Archives made without permissions say 0.
      mode: mode === 0 ? 0o644 : mode | 0o600,
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

function readEntry(file: number, entry: ZipEntry): Buffer {
  // The local header repeats the name and may have other extra fields than the directory.
  const header = read(file, entry.headerOffset, entry.headerOffset + LOCAL_HEADER_BYTES);
  const start = entry.headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  const data = read(file, start, start + entry.compressedBytes);
  return entry.deflated ? inflateRawSync(data) : data;
}

function read(file: number, start: number, end: number): Buffer {
  const buffer = Buffer.alloc(end - start);
  let done = 0;
  while (done < buffer.length) {
    const count = readSync(file, buffer, done, buffer.length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return buffer;
}
