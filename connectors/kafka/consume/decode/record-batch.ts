import { FetchedMessage, NO_HEADERS, type BatchContext, type MessageHeaders, type Stretch } from './fetched-message.ts';

/** Bytes of a record batch before its records (https://kafka.apache.org/documentation/#recordbatch). */
export const BATCH_HEADER_BYTES = 61;
/** Bytes before those that the batch's length counts: its base offset and the length itself. */
export const BATCH_PREFIX_BYTES = 12;
const CRC_START = 17;
/** What the checksum covers begins with the attributes. */
const CHECKED_START = 21;

/** The header of a record batch of format version 2. */
export interface BatchHeader {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number;
  readonly isControl: boolean;
  readonly records: number;
  readonly context: BatchContext;
  readonly firstTimestampMs: number;
  /** The time of all its records, where the broker sets it. */
  readonly appendTimeMs: number | undefined;
}

/** Reads a batch's header. The caller has checked that there are as many bytes. */
export function readBatchHeader(batch: Buffer): BatchHeader {
  const firstOffset = Number(batch.readBigInt64BE(0));
  const attributes = batch.readInt16BE(21);
  return {
    firstOffset,
    lastOffset: firstOffset + batch.readInt32BE(23),
    codec: attributes & 0b111,
    isControl: (attributes & 0b10_0000) !== 0,
    records: batch.readInt32BE(57),
    context: {
      producerId: String(batch.readBigInt64BE(43)),
      inTransaction: (attributes & 0b1_0000) !== 0,
    },
    firstTimestampMs: Number(batch.readBigInt64BE(27)),
    appendTimeMs: (attributes & 0b1000) === 0 ? undefined : Number(batch.readBigInt64BE(35)),
  };
}

/** The CRC-32C that a batch says it has, and the bytes that it is taken over. */
export function checkedPart(batch: Buffer): { readonly crc: number; readonly bytes: Buffer } {
  return { crc: batch.readUInt32BE(CRC_START), bytes: batch.subarray(CHECKED_START) };
}

/**
 * Reads the records of a batch into `messages`.
 *
 * @param bytes the records, decompressed, and nothing else.
 * @throws RangeError when they are not as many well-formed records as the header says.
 */
export function readRecords(bytes: Buffer, header: BatchHeader, messages: FetchedMessage[]): void {
  const reader = new RecordReader(bytes);
  const batch = { isControl: header.isControl, context: header.context };
  for (let index = 0; index < header.records; index++) {
    const end = reader.stretch().end;
    reader.skip(1);
    const timestampMs = header.firstTimestampMs + reader.varint();
    const offset = header.firstOffset + reader.varint();
    const key = reader.part();
    const value = reader.part();
    const headers = reader.headers();
    if (reader.at !== end) throw new RangeError(`record ${index} does not end where it says`);
    messages.push(
      new FetchedMessage(
        bytes,
        { offset, timestampMs: header.appendTimeMs ?? timestampMs },
        { key, value, headers },
        batch,
      ),
    );
  }
  if (reader.at !== bytes.length) throw new RangeError('there are bytes behind its last record');
}

class RecordReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(length: number): void {
    this.at += length;
  }

  /** A signed integer of up to 64 bits in zigzag; above 2^53 not exact, which no honest offset or time reaches. */
  varint(): number {
    let zigzag = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) break;
      // Shifts work on 32 bits only.
      zigzag += shift < 28 ? (byte & 0x7f) << shift : (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
    throw new RangeError('a number is cut off');
  }

  /** What follows a length: where it ends. The position stays behind the length. */
  stretch(): Stretch & { readonly end: number } {
    const length = this.varint();
    const start = this.at;
    const end = start + Math.max(0, length);
    if (length < -1 || end > this.#bytes.length) throw new RangeError('a record is cut off');
    return { start, length, end };
  }

  part(): Stretch {
    const stretch = this.stretch();
    this.at = stretch.end;
    return stretch;
  }

  headers(): MessageHeaders {
    const count = this.varint();
    if (count < 0) throw new RangeError('a negative number of headers');
    if (count === 0) return NO_HEADERS;
    const headers = Object.create(null) as MessageHeaders;
    for (let index = 0; index < count; index++) {
      const name = this.part();
      const value = this.part();
      add(headers, this.#bytes.toString('utf8', name.start, name.start + Math.max(0, name.length)), this.#cut(value));
    }
    return headers;
  }

  #cut({ start, length }: Stretch): Buffer | null {
    return length < 0 ? null : this.#bytes.subarray(start, start + length);
  }
}

function add(headers: MessageHeaders, name: string, value: Buffer | null): void {
  const held = headers[name];
  if (held === undefined) headers[name] = value;
  else if (Array.isArray(held)) held.push(value);
  else headers[name] = [held, value];
}
