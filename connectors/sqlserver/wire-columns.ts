/** How a column's values lie in the rows of a reply ([MS-TDS] 2.2.7.4, 2.2.5.4), for the types that statements of this connector return. */
export type WireColumn =
  /** An integer of two's complement, little end first; TINYINT has no sign. `bytes` is absent where each value tells its length. */
  | { readonly kind: 'integer'; readonly bytes?: 1 | 2 | 4 | 8 }
  /** `nullable`: each value has its length before it. */
  | { readonly kind: 'bit'; readonly nullable: boolean }
  | { readonly kind: 'guid' }
  /** UTF-16, little end first. `large`: `(max)`, sent in pieces. */
  | { readonly kind: 'unicode'; readonly large: boolean }
  /** A code page's characters: what statements here ask for as varchar is ASCII. */
  | { readonly kind: 'characters'; readonly large: boolean }
  | { readonly kind: 'bytes'; readonly large: boolean };

const NO_METADATA = 0xffff;
const MAX_LENGTH = 0xffff;
const USER_TYPE_AND_FLAGS_BYTES = 6;
const COLLATION_BYTES = 5;

/** TYPE_INFO's first byte. */
const TYPES: Readonly<Record<number, WireColumn | 'with length' | 'with collation' | 'bytes'>> = {
  0x30: { kind: 'integer', bytes: 1 },
  0x34: { kind: 'integer', bytes: 2 },
  0x38: { kind: 'integer', bytes: 4 },
  0x7f: { kind: 'integer', bytes: 8 },
  0x32: { kind: 'bit', nullable: false },
  0x26: 'with length',
  0x68: 'with length',
  0x24: 'with length',
  0xa7: 'with collation',
  0xaf: 'with collation',
  0xe7: 'with collation',
  0xef: 'with collation',
  0xa5: 'bytes',
  0xad: 'bytes',
};
const WITH_LENGTH: Readonly<Record<number, WireColumn>> = {
  0x26: { kind: 'integer' },
  0x68: { kind: 'bit', nullable: true },
  0x24: { kind: 'guid' },
};
const UNICODE = new Set([0xe7, 0xef]);

/** What COLMETADATA says, and where it ends. */
export interface ReadColumns {
  readonly columns: readonly WireColumn[];
  readonly end: number;
}

/**
 * Reads a COLMETADATA token from `at`, behind its type byte; undefined when it is not all there.
 *
 * @throws Error for a type that no statement of this connector asks for
 */
export function readColumns(bytes: Buffer, at: number): ReadColumns | undefined {
  if (bytes.length < at + 2) return undefined;
  const count = bytes.readUInt16LE(at);
  let next = at + 2;
  if (count === NO_METADATA) return { columns: [], end: next };
  const columns: WireColumn[] = [];
  for (let column = 0; column < count; column++) {
    const type = bytes[next + USER_TYPE_AND_FLAGS_BYTES];
    if (type === undefined) return undefined;
    const known = TYPES[type];
    if (known === undefined)
      throw new Error(`column ${column} is of the type 0x${type.toString(16)}, which was not asked for`);
    next += USER_TYPE_AND_FLAGS_BYTES + 1;
    if (known === 'with length') {
      next += 1;
      columns.push(WITH_LENGTH[type] ?? { kind: 'guid' });
    } else if (typeof known === 'string') {
      if (bytes.length < next + 2) return undefined;
      const large = bytes.readUInt16LE(next) === MAX_LENGTH;
      next += known === 'bytes' ? 2 : 2 + COLLATION_BYTES;
      const kind = known === 'bytes' ? 'bytes' : UNICODE.has(type) ? 'unicode' : 'characters';
      columns.push({ kind, large });
    } else columns.push(known);
    const nameCharacters = bytes[next];
    if (nameCharacters === undefined) return undefined;
    next += 1 + nameCharacters * 2;
  }
  return bytes.length < next ? undefined : { columns, end: next };
}
