import type { WireColumn } from './wire-columns.ts';

/** A value of a small result: text or bytes, never a number or a date. */
export type Value = string | Buffer | null;
export type Row = readonly Value[];

/** Stands for the end of a row that is not all there. */
export const INCOMPLETE = -1;

/** Lengths that stand for NULL, and for a value whose length is told by its pieces only ([MS-TDS] 2.2.5.2.3). */
const NULL_LENGTH = 0xffff;
const NULL_LARGE = 0xffff_ffff_ffff_ffffn;
const UNTOLD_LARGE = 0xffff_ffff_ffff_fffen;
/** No value of a reply is larger: rows whose text is beyond 64 MiB are not asked for. */
export const VALUE_LIMIT_BYTES = 512 * 1024 * 1024;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').toUpperCase());
/** The order in which a GUID is written, of its bytes as they are stored ([MS-DTYP] 2.3.4.2), in groups. */
const GUID_GROUPS = [
  [3, 2, 1, 0],
  [5, 4],
  [7, 6],
  [8, 9],
  [10, 11, 12, 13, 14, 15],
];

/**
 * A row as it lies in the reply: where each value begins and ends in which memory. One object serves all rows of a reply, so
 * what is read of it holds until the next row.
 */
export class WireRow {
  readonly columns: readonly WireColumn[];
  /** Where values begin and end in their memory; an end of -1 stands for NULL. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  #bytes: Buffer = Buffer.alloc(0);
  /** Values that came in several pieces, put together. */
  readonly #whole: (Buffer | undefined)[];
  readonly #hasLarge: boolean;
  /** Bytes that the row needs at least, from its beginning; known once {@link read} found that it is not all there. */
  neededBytes = 0;

  constructor(columns: readonly WireColumn[]) {
    this.columns = columns;
    this.starts = new Int32Array(columns.length);
    this.ends = new Int32Array(columns.length);
    this.#whole = new Array<Buffer | undefined>(columns.length);
    this.#hasLarge = columns.some((column) => 'large' in column && column.large);
  }

  isNull(column: number): boolean {
    return (this.ends[column] ?? -1) < 0;
  }

  /** The memory in which a value lies. */
  memoryOf(column: number): Buffer {
    return this.#hasLarge ? (this.#whole[column] ?? this.#bytes) : this.#bytes;
  }

  /**
   * Finds the values of the row that begins at `from`, behind its token's type byte and, where `compressed` (NBCROW), with a
   * bitmap of its NULLs first.
   *
   * @returns where the row ends; {@link INCOMPLETE} when it is not all there
   */
  read(bytes: Buffer, from: number, compressed: boolean): number {
    const { columns, starts, ends } = this;
    const { length } = bytes;
    this.#bytes = bytes;
    if (this.#hasLarge) this.#whole.fill(undefined);
    let at = compressed ? from + ((columns.length + 7) >> 3) : from;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index];
      if (column === undefined) break;
      if (compressed && ((bytes[from + (index >> 3)] ?? 0) & (1 << (index & 7))) !== 0) {
        ends[index] = -1;
        continue;
      }
      if ('large' in column && column.large) {
        const next = this.#readLarge(bytes, at, index, from);
        if (next === INCOMPLETE) return INCOMPLETE;
        at = next;
        continue;
      }
      let size: number;
      if (column.kind === 'unicode' || column.kind === 'characters' || column.kind === 'bytes') {
        if (at + 2 > length) return this.#needs(at + 2 - from);
        size = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
        at += 2;
        if (size === NULL_LENGTH) size = -1;
      } else if (
        (column.kind === 'integer' && column.bytes !== undefined) ||
        (column.kind === 'bit' && !column.nullable)
      ) {
        size = column.kind === 'integer' ? (column.bytes ?? 0) : 1;
      } else {
        if (at >= length) return this.#needs(at + 1 - from);
        size = bytes[at] ?? 0;
        at += 1;
        if (size === 0) size = -1;
      }
      if (size < 0) {
        ends[index] = -1;
        continue;
      }
      starts[index] = at;
      at += size;
      ends[index] = at;
    }
    return at > length ? this.#needs(at - from) : at;
  }

  /** All values, for results of few rows. */
  values(): Row {
    return this.columns.map((_, column) => this.#value(column));
  }

  #value(column: number): Value {
    if (this.isNull(column)) return null;
    const bytes = this.memoryOf(column);
    const start = this.starts[column] ?? 0;
    const end = this.ends[column] ?? 0;
    switch (this.columns[column]?.kind) {
      case 'integer':
        return integerText(bytes, start, end);
      case 'bit':
        return bytes[start] === 0 ? '0' : '1';
      case 'guid':
        return guidText(bytes, start);
      case 'unicode':
        return bytes.toString('utf16le', start, end);
      case 'characters':
        return bytes.toString('latin1', start, end);
      case 'bytes':
      case undefined:
        return Buffer.from(bytes.subarray(start, end));
    }
  }

  #needs(neededBytes: number): typeof INCOMPLETE {
    this.neededBytes = neededBytes;
    return INCOMPLETE;
  }

  /** A value in pieces: its length, or that it is not told, then pieces with theirs, the last one empty. */
  #readLarge(bytes: Buffer, from: number, column: number, rowFrom: number): number {
    if (from + 8 > bytes.length) return this.#needs(from + 8 - rowFrom);
    const told = bytes.readBigUInt64LE(from);
    let at = from + 8;
    if (told === NULL_LARGE) {
      this.ends[column] = -1;
      return at;
    }
    if (told !== UNTOLD_LARGE && told > BigInt(VALUE_LIMIT_BYTES)) throw new Error(`a value of ${told} bytes`);
    const pieces: Buffer[] = [];
    for (;;) {
      if (at + 4 > bytes.length) {
        const rest = told === UNTOLD_LARGE ? 0 : Number(told) + 4;
        return this.#needs(Math.max(at + 4, from + 8 + rest) - rowFrom);
      }
      const size = bytes.readUInt32LE(at);
      at += 4;
      if (size === 0) break;
      if (at + size > bytes.length) return this.#needs(at + size + 4 - rowFrom);
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    const [only] = pieces;
    const whole = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
    this.#whole[column] = whole;
    this.starts[column] = 0;
    this.ends[column] = whole.length;
    return at;
  }
}

/** Digits of an integer of 1 (without sign), 2, 4 or 8 bytes, exact. */
export function integerText(bytes: Buffer, start: number, end: number): string {
  switch (end - start) {
    case 1:
      return String(bytes.readUInt8(start));
    case 2:
      return String(bytes.readInt16LE(start));
    case 4:
      return String(bytes.readInt32LE(start));
    case 8:
      return String(bytes.readBigInt64LE(start));
    default:
      throw new Error(`an integer of ${end - start} bytes`);
  }
}

/** A GUID as SQL Server writes it, with capitals. */
export function guidText(bytes: Buffer, start: number): string {
  return GUID_GROUPS.map((group) => group.map((at) => HEX[bytes[start + at] ?? 0] ?? '').join('')).join('-');
}
