const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** A line, or a piece of one that is too long for a record. */
export interface TextLine {
  readonly bytes: Buffer;
  /** Number of the piece, from 0; undefined for a line that is whole. */
  readonly part?: number;
  /** With the last piece of a line: how many there are. */
  readonly parts?: number;
}

/**
 * Cuts a stream of bytes into lines, whatever their encoding: LF and CRLF end a line, the last one needs no end. A line
 * longer than `maxLineBytes` comes in pieces, so that nothing is lost and memory stays bounded.
 */
export class LineCutter {
  readonly #maxLineBytes: number;
  /** The beginning of a line whose end has not come yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #part = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that end in `chunk`, and the pieces that are full. */
  *push(chunk: Buffer): Generator<TextLine> {
    let at = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline < 0 ? chunk.length : newline;
      yield* this.#append(chunk, at, end);
      if (newline < 0) return;
      yield this.#endLine(true);
      at = newline + 1;
    }
  }

  /** The last line, when it does not end in a line break. */
  *end(): Generator<TextLine> {
    if (this.#pendingBytes > 0 || this.#part > 0) yield this.#endLine(false);
  }

  *#append(chunk: Buffer, start: number, end: number): Generator<TextLine> {
    let at = start;
    while (this.#pendingBytes + (end - at) > this.#maxLineBytes) {
      // One byte of what is pending may be the CR of a CRLF: a piece never ends before that is known, since it is only
      // cut when more bytes of the same line follow.
      const room = this.#maxLineBytes - this.#pendingBytes;
      this.#keep(chunk.subarray(at, at + room));
      at += room;
      yield { bytes: this.#takePending(), part: this.#part++ };
    }
    if (at < end) this.#keep(chunk.subarray(at, end));
  }

  #endLine(terminated: boolean): TextLine {
    let bytes = this.#takePending();
    if (terminated && bytes.at(-1) === RETURN) bytes = bytes.subarray(0, -1);
    const part = this.#part;
    this.#part = 0;
    return part === 0 ? { bytes } : { bytes, part, parts: part + 1 };
  }

  #keep(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #takePending(): Buffer {
    const [only] = this.#pending;
    const bytes = this.#pending.length === 1 && only !== undefined ? only : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return bytes;
  }
}
