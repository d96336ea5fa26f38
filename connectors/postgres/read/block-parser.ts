import { GridError } from '../../../grid/errors.ts';

/** PostgreSQL, "COPY: Binary Format": signature, flags, length of the header's extension. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const FILE_HEADER_BYTES = SIGNATURE.length + 4 + 4;
/** Number of fields, then length and value of `start`, `rows` and `digest`, then the length of `text`. */
const RECORD_HEADER_BYTES = 2 + (4 + 8) + (4 + 8) + (4 + 32) + 4;
const TRAILER = -1;

export interface BlockHeader {
  /** First page of the block, or number of its one row. */
  readonly start: number;
  readonly rows: number;
  /** SHA-256 of the text, lower-case hexadecimal. */
  readonly digest: string;
}

export interface BlockHandler {
  begin(block: BlockHeader): void;
  /** A part of the block's text, as it came. */
  text(piece: Buffer): void;
  end(block: BlockHeader): void;
}

/**
 * Takes apart what the statement of `blockCopy` sends, whatever pieces it comes in, and keeps nothing of their memory.
 *
 * States: `file-header` → `record-header` → `text` → `record-header` … → `finished`, after which nothing may come.
 */
export class BlockParser {
  readonly #handler: BlockHandler;
  #state: 'file-header' | 'record-header' | 'text' | 'finished' = 'file-header';
  /** The beginning of a header that came in parts. */
  #held: Buffer = Buffer.alloc(0);
  #block: BlockHeader = { start: 0, rows: 0, digest: '' };
  #textBytesLeft = 0;

  constructor(handler: BlockHandler) {
    this.#handler = handler;
  }

  /** Whether the end was read. */
  get isFinished(): boolean {
    return this.#state === 'finished';
  }

  /** @throws GridError `import-verification-failed` for bytes that the statement does not send. */
  push(piece: Buffer): void {
    let rest = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      const before = rest.length;
      rest = this.#step(rest);
      // Nothing can be done with it yet.
      if (rest.length === before) {
        // The piece's memory is used again.
        this.#held = Buffer.from(rest);
        return;
      }
    }
  }

  #step(bytes: Buffer): Buffer {
    switch (this.#state) {
      case 'file-header': {
        if (bytes.length < FILE_HEADER_BYTES) return bytes;
        if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw unexpected('its first bytes');
        if (bytes.readInt32BE(SIGNATURE.length) !== 0 || bytes.readInt32BE(SIGNATURE.length + 4) !== 0) {
          throw unexpected('its header');
        }
        this.#state = 'record-header';
        return bytes.subarray(FILE_HEADER_BYTES);
      }
      case 'record-header':
        return this.#recordHeader(bytes);
      case 'text': {
        const taken = bytes.length <= this.#textBytesLeft ? bytes : bytes.subarray(0, this.#textBytesLeft);
        this.#textBytesLeft -= taken.length;
        this.#handler.text(taken);
        if (this.#textBytesLeft === 0) this.#endRecord();
        return bytes.subarray(taken.length);
      }
      case 'finished':
        throw unexpected('something after its end');
    }
  }

  #recordHeader(bytes: Buffer): Buffer {
    if (bytes.length < 2) return bytes;
    const fields = bytes.readInt16BE(0);
    if (fields === TRAILER) {
      this.#state = 'finished';
      return bytes.subarray(2);
    }
    if (fields !== 4) throw unexpected(`a record of ${fields} fields`);
    if (bytes.length < RECORD_HEADER_BYTES) return bytes;
    const textBytes = bytes.readInt32BE(RECORD_HEADER_BYTES - 4);
    if (bytes.readInt32BE(2) !== 8 || bytes.readInt32BE(14) !== 8 || bytes.readInt32BE(26) !== 32 || textBytes < 0) {
      throw unexpected('a record with fields of other lengths');
    }
    // Counts, far below 2^53.
    this.#block = {
      start: Number(bytes.readBigInt64BE(6)),
      rows: Number(bytes.readBigInt64BE(18)),
      digest: bytes.toString('hex', 30, 62),
    };
    this.#textBytesLeft = textBytes;
    this.#state = 'text';
    this.#handler.begin(this.#block);
    if (textBytes === 0) this.#endRecord();
    return bytes.subarray(RECORD_HEADER_BYTES);
  }

  #endRecord(): void {
    this.#state = 'record-header';
    this.#handler.end(this.#block);
  }
}

function unexpected(what: string): GridError {
  return new GridError(
    'import-verification-failed',
    `Reading a block of rows: PostgreSQL's COPY gave ${what}, which was not asked for. It is tried again.`,
  );
}
