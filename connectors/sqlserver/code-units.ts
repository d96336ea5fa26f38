/** A TAB, LF, CR and backslash, which Hive gives a meaning. */
export const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;
const LETTER_R = 0x72;
const ZERO = 0x30;
const MINUS = 0x2d;

const TWO_TO_32 = 2 ** 32;
const FIRST_CAPACITY = 64 * 1024;

/** UTF-16 text that grows, in memory that is used again and again: most of a row is copied from the reply as it lies there. */
export class CodeUnits {
  #units = new Uint16Array(FIRST_CAPACITY);
  #length = 0;
  /** All units, or-ed: below 0x80 the text is ASCII. */
  #mixed = 0;

  get length(): number {
    return this.#length;
  }

  get isAscii(): boolean {
    return this.#mixed < 0x80;
  }

  clear(): void {
    this.#length = 0;
    this.#mixed = 0;
  }

  /** Gives memory back that only a huge row needed. */
  shrink(mostUnits: number): void {
    if (this.#length === 0 && this.#units.length > mostUnits) this.#units = new Uint16Array(FIRST_CAPACITY);
  }

  /** Its memory, little end first where the machine is: all that Node runs the SQL Server driver on. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#units.buffer, 0, this.#length * 2);
  }

  toString(): string {
    return Buffer.from(this.#units.buffer, 0, this.#length * 2).toString('utf16le');
  }

  /** @throws nothing for half a character, which becomes U+FFFD: look at the text first */
  toUtf8(): Buffer {
    if (!this.isAscii) return Buffer.from(this.toString(), 'utf8');
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    bytes.set(this.#units.subarray(0, this.#length));
    return bytes;
  }

  add(unit: number): void {
    this.#reserve(1);
    this.#units[this.#length++] = unit;
    this.#mixed |= unit;
  }

  /** @param text ASCII */
  addText(text: string): void {
    this.#reserve(text.length);
    for (let at = 0; at < text.length; at++) this.#units[this.#length++] = text.charCodeAt(at);
  }

  /** The units of another text from `start` on. */
  addFrom(other: CodeUnits, start: number): void {
    const added = other.#length - start;
    this.#reserve(added);
    const from = other.#units;
    const to = this.#units;
    let next = this.#length;
    for (let at = start; at < other.#length; at++) to[next++] = from[at] ?? 0;
    this.#length = next;
    this.#mixed |= other.#mixed;
  }

  /** Characters of a byte each. @returns whether all were ASCII */
  addAscii(bytes: Uint8Array, start: number, end: number): boolean {
    this.#reserve(end - start);
    const to = this.#units;
    let next = this.#length;
    let mixed = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      mixed |= byte;
      to[next++] = byte;
    }
    this.#length = next;
    this.#mixed |= mixed;
    return mixed < 0x80;
  }

  /** UTF-16, little end first. */
  addUnicode(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) >> 1);
    const to = this.#units;
    let next = this.#length;
    let mixed = 0;
    for (let at = start; at + 1 < end; at += 2) {
      const unit = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
      mixed |= unit;
      to[next++] = unit;
    }
    this.#length = next;
    this.#mixed |= mixed;
  }

  /** The same with Hive's escapes: as `hiveField` does. */
  addEscaped(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    const to = this.#units;
    let next = this.#length;
    let mixed = 0;
    for (let at = start; at + 1 < end; at += 2) {
      const unit = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
      mixed |= unit;
      if (unit === TAB || unit === BACKSLASH) {
        to[next++] = BACKSLASH;
        to[next++] = unit;
      } else if (unit === LINE_FEED) {
        to[next++] = BACKSLASH;
        to[next++] = LETTER_N;
      } else if (unit === CARRIAGE_RETURN) {
        to[next++] = BACKSLASH;
        to[next++] = LETTER_R;
      } else to[next++] = unit;
    }
    this.#length = next;
    this.#mixed |= mixed;
  }

  /** Digits of an integer of 1 (without sign), 2, 4 or 8 bytes, little end first. */
  addInteger(bytes: Buffer, start: number, end: number): void {
    switch (end - start) {
      case 1:
        this.addNumber(bytes[start] ?? 0);
        return;
      case 2:
        this.addNumber(bytes.readInt16LE(start));
        return;
      case 4:
        this.addNumber(bytes.readInt32LE(start));
        return;
      default: {
        const value = bytes.readInt32LE(start + 4) * TWO_TO_32 + bytes.readUInt32LE(start);
        // Beyond 2^53 a double does not tell one integer from the next.
        if (Number.isSafeInteger(value)) this.addNumber(value);
        else this.addText(String(bytes.readBigInt64LE(start)));
      }
    }
  }

  /** @param value an integer that a double holds exactly */
  addNumber(value: number): void {
    this.#reserve(20);
    let rest = value;
    if (rest < 0) {
      this.#units[this.#length++] = MINUS;
      rest = -rest;
    }
    let digits = 1;
    for (let power = 10; rest >= power; power *= 10) digits++;
    this.#length += digits;
    for (let at = this.#length - 1; digits > 0; digits--, at--) {
      const quotient = Math.floor(rest / 10);
      this.#units[at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
  }

  #reserve(units: number): void {
    const needed = this.#length + units;
    if (needed <= this.#units.length) return;
    const larger = new Uint16Array(Math.max(needed, this.#units.length * 2));
    larger.set(this.#units.subarray(0, this.#length));
    this.#units = larger;
  }
}
