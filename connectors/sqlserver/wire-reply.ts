import { readColumns } from './wire-columns.ts';
import { INCOMPLETE, VALUE_LIMIT_BYTES, WireRow } from './wire-row.ts';

/** Token types ([MS-TDS] 2.2.7). */
const COLUMNS = 0x81;
const ROW = 0xd1;
const COMPRESSED_ROW = 0xd2;
const DONE_TOKENS = new Set([0xfd, 0xfe, 0xff]);
const DONE_BYTES = 13;
const RETURN_STATUS = 0x79;
const RETURN_STATUS_BYTES = 5;
/** ERROR, INFO, ENVCHANGE, ORDER, TABNAME, COLINFO, LOGINACK, SSPI: the length follows in two bytes. */
const SHORT_TOKENS = new Set([0xaa, 0xab, 0xe3, 0xa9, 0xa4, 0xa5, 0xad, 0xed]);
/** SESSIONSTATE, FEDAUTHINFO: in four bytes. */
const LONG_TOKENS = new Set([0xe4, 0xee]);

/** Takes the rows of a reply as they come. */
export interface RowTaker {
  /** A sign of the server. */
  onBytes(): void;
  /** The row holds until the call returns. When that is with a promise, no further row comes until it resolves; it never rejects. */
  onRow(row: WireRow): Promise<void> | undefined;
}

/**
 * Takes the rows out of a reply and hands on what is left of it, which is for the driver. The driver makes promises and objects of
 * each row and each value, which costs several times what is done with them here.
 *
 * @param onBroken is told when the reply cannot be read. Then it never ends: the driver would take a failure for its end.
 */
export async function* withoutRows(
  message: AsyncIterable<Buffer>,
  taker: RowTaker,
  onBroken: (error: unknown) => void,
): AsyncGenerator<Buffer> {
  try {
    yield* otherTokens(message, taker);
  } catch (error) {
    onBroken(error);
    await new Promise(() => undefined);
  }
}

async function* otherTokens(message: AsyncIterable<Buffer>, taker: RowTaker): AsyncGenerator<Buffer> {
  const rest = new Rest();
  let row: WireRow | undefined;
  for await (const chunk of followedByEnd(message)) {
    const bytes = chunk === undefined ? rest.all() : rest.with(chunk);
    if (chunk !== undefined) taker.onBytes();
    if (bytes === undefined) continue;
    let at = 0;
    let neededBytes = 0;
    while (at < bytes.length) {
      const type = bytes[at];
      if (type === ROW || type === COMPRESSED_ROW) {
        if (row === undefined) throw new Error('the reply has a row before it has told its columns');
        const end = row.read(bytes, at + 1, type === COMPRESSED_ROW);
        if (end === INCOMPLETE) {
          neededBytes = 1 + row.neededBytes;
          break;
        }
        const taken = taker.onRow(row);
        if (taken !== undefined) await taken;
        at = end;
        continue;
      }
      const length = tokenBytes(bytes, at);
      if (length === undefined) break;
      if (type === COLUMNS) row = new WireRow(readColumns(bytes, at + 1)?.columns ?? []);
      // A copy, since the memory is used again.
      yield Buffer.from(bytes.subarray(at, at + length));
      at += length;
    }
    rest.keep(bytes, at, neededBytes);
  }
  if (rest.all().length > 0) throw new Error('the reply ends within a token');
}

async function* followedByEnd(message: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  yield* message;
  yield undefined;
}

/** Length of a token that is not a row; undefined when it is not all there. */
function tokenBytes(bytes: Buffer, at: number): number | undefined {
  const type = bytes[at] ?? 0;
  const available = bytes.length - at;
  let length: number;
  if (type === COLUMNS) {
    const read = readColumns(bytes, at + 1);
    return read === undefined ? undefined : read.end - at;
  }
  if (DONE_TOKENS.has(type)) length = DONE_BYTES;
  else if (type === RETURN_STATUS) length = RETURN_STATUS_BYTES;
  else if (SHORT_TOKENS.has(type)) {
    if (available < 3) return undefined;
    length = 3 + bytes.readUInt16LE(at + 1);
  } else if (LONG_TOKENS.has(type)) {
    if (available < 5) return undefined;
    length = 5 + bytes.readUInt32LE(at + 1);
  } else throw new Error(`the reply has a token 0x${type.toString(16)}, which is not known`);
  return length > available ? undefined : length;
}

/** Memory that is kept from one reply's packet to the next. */
const KEPT_MEMORY_BYTES = 256 * 1024;
/** From so many bytes on, a token whose length is not told is looked at again only when there is half as much again. */
const LARGE_TOKEN_BYTES = 64 * 1024;

/** Bytes of a token that is not all there yet, in memory that doubles, so that each is copied a few times at most. */
class Rest {
  #memory = Buffer.alloc(0);
  #bytes = 0;
  #neededBytes = 0;

  /** What was kept and `chunk` behind it; undefined while that cannot be enough. */
  with(chunk: Buffer): Buffer | undefined {
    if (this.#bytes === 0) return chunk;
    const total = this.#bytes + chunk.length;
    if (total > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(total, this.#neededBytes, this.#memory.length * 2));
      this.#memory.copy(larger, 0, 0, this.#bytes);
      this.#memory = larger;
    }
    chunk.copy(this.#memory, this.#bytes);
    this.#bytes = total;
    return total < this.#neededBytes ? undefined : this.all();
  }

  /** Keeps what begins at `from`. @param neededBytes that it needs at least */
  keep(bytes: Buffer, from: number, neededBytes: number): void {
    const kept = bytes.length - from;
    if (kept > VALUE_LIMIT_BYTES || neededBytes > VALUE_LIMIT_BYTES)
      throw new Error('the reply has a token beyond all limits');
    this.#neededBytes = Math.max(neededBytes, kept > LARGE_TOKEN_BYTES ? Math.ceil(kept * 1.5) : 0);
    const tooLarge = this.#memory.length > KEPT_MEMORY_BYTES && kept <= KEPT_MEMORY_BYTES;
    if (tooLarge || this.#memory.length < kept) this.#memory = Buffer.allocUnsafeSlow(kept);
    // They may lie in this very memory; copying minds that.
    bytes.copy(this.#memory, 0, from);
    this.#bytes = kept;
  }

  all(): Buffer {
    return this.#memory.subarray(0, this.#bytes);
  }
}
