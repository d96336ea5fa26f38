/** Values of one row, as the columns are declared; integers in decimal, GUIDs as the bytes that are stored. */
export type PeerValue = string | Buffer | boolean | null;

/**
 * How a reply's columns are declared: nvarchar(4000), nvarchar(max), varchar(8000), varbinary(8000), varbinary(max), binary(16),
 * and types that are named as they are; `not null` ones do not tell their values' lengths.
 */
export type PeerColumn =
  | 'text'
  | 'large'
  | 'characters'
  | 'bytes'
  | 'large bytes'
  | 'hash'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'int not null'
  | 'bigint not null'
  | 'bit'
  | 'bit not null'
  | 'guid';

export const DONE_COUNT = 0x10;
export const DONE_ERROR = 0x02;
export const DONE_ATTENTION = 0x20;

const ucs2 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const shortText = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), ucs2(text)]);
const uint16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};
const sized = (token: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([token]), uint16(body.length), body]);

const COLLATION = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);

const byte = (value: number): Buffer => Buffer.from([value]);
const INTEGER_BYTES = { tinyint: 1, smallint: 2, int: 4, bigint: 8, 'int not null': 4, 'bigint not null': 8 } as const;

const TYPE_INFO: Readonly<Record<PeerColumn, readonly Buffer[]>> = {
  text: [byte(0xe7), uint16(8_000), COLLATION],
  large: [byte(0xe7), uint16(0xffff), COLLATION],
  characters: [byte(0xa7), uint16(8_000), COLLATION],
  bytes: [byte(0xa5), uint16(8_000)],
  'large bytes': [byte(0xa5), uint16(0xffff)],
  hash: [byte(0xad), uint16(16)],
  tinyint: [byte(0x26), byte(1)],
  smallint: [byte(0x26), byte(2)],
  int: [byte(0x26), byte(4)],
  bigint: [byte(0x26), byte(8)],
  'int not null': [byte(0x38)],
  'bigint not null': [byte(0x7f)],
  bit: [byte(0x68), byte(1)],
  'bit not null': [byte(0x32)],
  guid: [byte(0x24), byte(16)],
};

export function metadata(columns: readonly PeerColumn[]): Buffer {
  const described = columns.map((column, at) =>
    Buffer.concat([uint32(0), uint16(1), ...TYPE_INFO[column], shortText(`c${at}`)]),
  );
  return Buffer.concat([byte(0x81), uint16(columns.length), ...described]);
}

function integer(column: keyof typeof INTEGER_BYTES, text: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt.asIntN(64, BigInt(text)));
  return bytes.subarray(0, INTEGER_BYTES[column]);
}

function bytesOf(column: PeerColumn, value: Exclude<PeerValue, null>): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'boolean') return byte(value ? 1 : 0);
  if (Object.hasOwn(INTEGER_BYTES, column)) return integer(column as keyof typeof INTEGER_BYTES, value);
  return column === 'characters' ? Buffer.from(value, 'latin1') : ucs2(value);
}

/** A value of a `(max)` type, in pieces of `pieceBytes`. */
function inPieces(bytes: Buffer, pieceBytes: number, untold: boolean): Buffer {
  const parts = [untold ? uint64(0xffff_ffff_ffff_fffen) : uint64(BigInt(bytes.length))];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    parts.push(uint32(piece.length), piece);
  }
  return Buffer.concat([...parts, uint32(0)]);
}

export interface RowForm {
  /** NBCROW: a bitmap of NULLs first. */
  readonly compressed?: boolean;
  readonly pieceBytes?: number;
  /** Lengths of `(max)` values are not told. */
  readonly untold?: boolean;
}

export function rowToken(columns: readonly PeerColumn[], row: readonly PeerValue[], form: RowForm = {}): Buffer {
  const { compressed = false, pieceBytes = Number.POSITIVE_INFINITY, untold = false } = form;
  const bitmap = Buffer.alloc((columns.length + 7) >> 3);
  const values = columns.map((column, at) => {
    const value = row[at] ?? null;
    const isLarge = column === 'large' || column === 'large bytes';
    if (value === null) {
      bitmap[at >> 3] = (bitmap[at >> 3] ?? 0) | (1 << (at & 7));
      if (compressed) return Buffer.alloc(0);
      if (isLarge) return uint64(0xffff_ffff_ffff_ffffn);
      return ['text', 'characters', 'bytes', 'hash'].includes(column) ? uint16(0xffff) : byte(0);
    }
    const bytes = bytesOf(column, value);
    if (isLarge) return inPieces(bytes, pieceBytes, untold);
    if (column.endsWith('not null')) return bytes;
    const hasLongLength = ['text', 'characters', 'bytes', 'hash'].includes(column);
    return Buffer.concat([hasLongLength ? uint16(bytes.length) : byte(bytes.length), bytes]);
  });
  return Buffer.concat([byte(compressed ? 0xd2 : 0xd1), ...(compressed ? [bitmap] : []), ...values]);
}

export function done(status: number, count = 0): Buffer {
  return Buffer.concat([byte(0xfd), uint16(status), uint16(0xc1), uint64(BigInt(count))]);
}

export function errorToken(number: number, message: string, state = 1): Buffer {
  const text = Buffer.concat([uint16(message.length), ucs2(message)]);
  return sized(
    0xaa,
    Buffer.concat([uint32(number), Buffer.from([state, 16]), text, shortText('peer'), shortText(''), uint32(1)]),
  );
}

export function loginAck(): Buffer {
  return sized(
    0xad,
    Buffer.concat([Buffer.from([1, 0x74, 0, 0, 4]), shortText('Scripted peer'), Buffer.from([16, 0, 0, 0])]),
  );
}

/** ENVCHANGE of a transaction manager request: 8 begun, 9 committed, 10 rolled back. */
export function transactionChange(kind: number): Buffer {
  const descriptor = Buffer.from([8, 1, 0, 0, 0, 0, 0, 0, 0]);
  const begun = kind === 5;
  const change = begun ? 8 : kind === 7 ? 9 : 10;
  const body = begun ? [descriptor, Buffer.from([0])] : [Buffer.from([0]), descriptor];
  return sized(0xe3, Buffer.concat([Buffer.from([change]), ...body]));
}
