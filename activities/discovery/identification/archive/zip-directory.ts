import { readSync } from 'node:fs';

/** An entry of a zip's central directory, as it is declared. */
export interface ZipEntry {
  readonly nameBytes: Buffer;
  readonly isUtf8: boolean;
  readonly isEncrypted: boolean;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Of its local header. */
  readonly offset: number;
  /** Mode of Unix, if it was made there. */
  readonly unixMode: number | undefined;
  readonly modifiedMs: number | undefined;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  /** How many entries its end declares. */
  readonly declared: number;
  /** Where the record of the end lies. */
  readonly endOffset: number;
  readonly warnings: readonly string[];
}

const END = 0x06054b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const LONGEST_COMMENT = 0xffff;
const CENTRAL_BYTES = 46;
/** A directory that is longer is no use to anyone. */
const MOST_DIRECTORY_BYTES = 128 << 20;

/**
 * Reads a zip's central directory by itself, for comparison: libraries drop entries without a word.
 *
 * @param most entries to read
 * @returns a text: why there is none
 */
export function readZipDirectory(descriptor: number, size: number, most: number): ZipDirectory | string {
  const tail = read(
    descriptor,
    Math.max(0, size - END_BYTES - LONGEST_COMMENT),
    Math.min(size, END_BYTES + LONGEST_COMMENT),
  );
  const found = findEnd(tail);
  if (found === undefined) return 'it has no end of central directory: it was cut, or is none';
  const endOffset = size - tail.length + found;
  const warnings: string[] = [];
  let declared = tail.readUInt16LE(found + 10);
  let directoryBytes = tail.readUInt32LE(found + 12);
  let directoryOffset = tail.readUInt32LE(found + 16);
  if (tail.length - found - END_BYTES > tail.readUInt16LE(found + 20))
    warnings.push('bytes follow the end of the archive');
  if (declared === 0xffff || directoryBytes === 0xffffffff || directoryOffset === 0xffffffff) {
    const wide = readZip64(descriptor, endOffset);
    if (wide !== undefined) ({ declared, directoryBytes, directoryOffset } = wide);
  }
  if (directoryOffset + directoryBytes > endOffset) {
    // Something stands before the archive or its end was cut out: the directory lies right before its end.
    return `its central directory would end at ${directoryOffset + directoryBytes}, behind its end at ${endOffset}`;
  }
  const shift = endOffset - directoryOffset - directoryBytes;
  if (shift > 0 && read(descriptor, directoryOffset, 4).readUInt32LE(0) !== 0x02014b50 && declared > 0) {
    return 'its central directory does not lie where its end says';
  }
  if (directoryBytes > MOST_DIRECTORY_BYTES) return `its central directory has ${directoryBytes} bytes`;
  const entries = readEntries(read(descriptor, directoryOffset, directoryBytes), most, warnings);
  if (entries.length < Math.min(declared, most))
    warnings.push(`its end declares ${declared} members, but ${entries.length} are listed`);
  return { entries, declared, endOffset, warnings };
}

/** The last one whose comment reaches to the end, or else the last. */
function findEnd(tail: Buffer): number | undefined {
  let last: number | undefined;
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== END) continue;
    last ??= at;
    if (at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return last;
}

function readZip64(
  descriptor: number,
  endOffset: number,
): { declared: number; directoryBytes: number; directoryOffset: number } | undefined {
  const locator = read(descriptor, endOffset - LOCATOR_BYTES, LOCATOR_BYTES);
  if (locator.length < LOCATOR_BYTES || locator.readUInt32LE(0) !== 0x07064b50) return undefined;
  const record = read(descriptor, Number(locator.readBigUInt64LE(8)), 56);
  if (record.length < 56 || record.readUInt32LE(0) !== 0x06064b50) return undefined;
  return {
    declared: Number(record.readBigUInt64LE(32)),
    directoryBytes: Number(record.readBigUInt64LE(40)),
    directoryOffset: Number(record.readBigUInt64LE(48)),
  };
}

function readEntries(directory: Buffer, most: number, warnings: string[]): readonly ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; at + CENTRAL_BYTES <= directory.length && entries.length < most;) {
    if (directory.readUInt32LE(at) !== 0x02014b50) {
      warnings.push('its central directory is damaged');
      break;
    }
    const [nameBytes, extraBytes, commentBytes] = [
      directory.readUInt16LE(at + 28),
      directory.readUInt16LE(at + 30),
      directory.readUInt16LE(at + 32),
    ];
    const end = at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
    if (end > directory.length) {
      warnings.push('its central directory ends within an entry');
      break;
    }
    const flags = directory.readUInt16LE(at + 8);
    const extra = directory.subarray(at + CENTRAL_BYTES + nameBytes, at + CENTRAL_BYTES + nameBytes + extraBytes);
    const sizes = zip64Sizes(
      extra,
      directory.readUInt32LE(at + 24),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 42),
    );
    const madeBy = directory[at + 5];
    entries.push({
      nameBytes: Buffer.from(directory.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes)),
      isUtf8: (flags & 0x800) !== 0,
      isEncrypted: (flags & 0x41) !== 0,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      ...sizes,
      unixMode: madeBy === 3 || madeBy === 19 ? directory.readUInt32LE(at + 38) >>> 16 : undefined,
      modifiedMs: dosTime(directory.readUInt16LE(at + 14), directory.readUInt16LE(at + 12)),
    });
    at = end;
  }
  return entries;
}

/** Sizes of 64 bits stand in an extra field, in this order, each only where its own field is full of ones. */
function zip64Sizes(
  extra: Buffer,
  bytes: number,
  compressedBytes: number,
  offset: number,
): Pick<ZipEntry, 'bytes' | 'compressedBytes' | 'offset'> {
  const values = [bytes, compressedBytes, offset];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const end = Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2));
    let from = at + 4;
    for (const [index, value] of values.entries()) {
      if (value !== 0xffffffff || from + 8 > end) continue;
      values[index] = Number(extra.readBigUInt64LE(from));
      from += 8;
    }
    break;
  }
  const [whole = 0, packed = 0, start = 0] = values;
  return { bytes: whole, compressedBytes: packed, offset: start };
}

/** Without a zone, so it is taken for UTC. */
function dosTime(date: number, time: number): number | undefined {
  if (date === 0) return undefined;
  const ms = Date.UTC(
    1980 + (date >> 9),
    ((date >> 5) & 15) - 1,
    date & 31,
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
  return Number.isFinite(ms) ? ms : undefined;
}

function read(descriptor: number, position: number, length: number): Buffer {
  if (position < 0 || length <= 0 || !Number.isSafeInteger(position)) return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, buffer, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
