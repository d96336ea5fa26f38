import { createRequire } from 'node:module';
import { GridError } from '../../../../grid/errors.ts';
import { codecName, decompress } from './decompress.ts';
import { PlaceHolder, type BatchContext, type FetchedMessage } from './fetched-message.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  checkedPart,
  readBatchHeader,
  readRecords,
  type BatchHeader,
} from './record-batch.ts';

/** Most that the records of one batch may become. Kafka limits a batch as it lies there, compressed: to 1 MiB, unless set otherwise. */
const MAX_BATCH_BYTES = 32 << 20;
const MAX_BATCH_RECORDS = 500_000;
/** Once the batches of one partition have become as much, the rest of the fetch is left; it is fetched again. */
const ENOUGH_BYTES = 4 << 20;
const MAGIC_INDEX = 16;
const RECORD_BATCH_MAGIC = 2;
const NO_CONTEXT: BatchContext = { producerId: '-1', inTransaction: false };

const require = createRequire(import.meta.url);
/** kafkajs publishes neither; its version is pinned, and a test of the whole way holds this to it. */
const crc32C = require('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (bytes: Buffer) => number;
const decodeMessageSet = require('kafkajs/src/protocol/messageSet/decoder.js') as (
  decoder: unknown,
  bytes: number,
) => Promise<readonly object[]>;
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => unknown;

/**
 * The messages of one partition's part of a fetch, oldest first, up to the first batch that cannot be decoded: for that one comes a
 * {@link PlaceHolder}, and nothing behind it. Never throws, since kafkajs would then lose the whole fetch, of all partitions.
 */
export async function decodeFetched(bytes: Buffer): Promise<object[]> {
  const messages: object[] = [];
  let decompressedBytes = 0;
  let at = 0;
  while (at + MAGIC_INDEX < bytes.length && decompressedBytes < ENOUGH_BYTES) {
    if (bytes[at + MAGIC_INDEX] !== RECORD_BATCH_MAGIC) {
      for (const message of await decodeOld(bytes.subarray(at))) messages.push(message);
      break;
    }
    const end = at + BATCH_PREFIX_BYTES + bytes.readInt32BE(at + 8);
    // A fetch may end within a batch.
    if (end > bytes.length) break;
    if (end < at + BATCH_HEADER_BYTES) {
      const offset = Number(bytes.readBigInt64BE(at));
      messages.push(undecodable(offset, offset, NO_CONTEXT, 'its length', new RangeError('shorter than its header')));
      break;
    }
    const batch = bytes.subarray(at, end);
    const header = readBatchHeader(batch);
    const decoded: FetchedMessage[] = [];
    try {
      const records = await recordsOf(batch, header);
      decompressedBytes += records.length;
      readRecords(records, header, decoded);
    } catch (error) {
      const { firstOffset, lastOffset, context, codec } = header;
      messages.push(
        undecodable(firstOffset, lastOffset, context, codec === 0 ? 'uncompressed' : codecName(codec), error),
      );
      break;
    }
    for (const message of decoded) messages.push(message);
    const reached = decoded.at(-1)?.offsetNumber ?? -1;
    if (reached < header.lastOffset) messages.push(new PlaceHolder(header.lastOffset, header.context));
    at = end;
  }
  return messages;
}

async function recordsOf(batch: Buffer, header: BatchHeader): Promise<Buffer> {
  const records = batch.subarray(BATCH_HEADER_BYTES);
  if (header.records < 0 || header.records > MAX_BATCH_RECORDS) {
    throw new RangeError(`it says that it holds ${header.records} records; at most ${MAX_BATCH_RECORDS} are read`);
  }
  if (header.codec === 0 || records.length === 0) return records;
  // Damaged bytes would make any codec do anything. What is not compressed is only looked at for its form: the sum would cost about half
  // a core at the full speed of reading.
  const { crc, bytes } = checkedPart(batch);
  if (crc32C(bytes) !== crc) throw new RangeError('its checksum does not hold');
  return decompress(header.codec, records, MAX_BATCH_BYTES);
}

/** Message sets of before Kafka 0.11, which may still lie in old logs. */
async function decodeOld(bytes: Buffer): Promise<readonly object[]> {
  try {
    return await decodeMessageSet(new Decoder(bytes), bytes.length);
  } catch (error) {
    const offset = Number(bytes.readBigInt64BE(0));
    return [undecodable(offset, offset, NO_CONTEXT, 'an old message set', error)];
  }
}

function undecodable(
  firstOffset: number,
  lastOffset: number,
  context: BatchContext,
  kind: string,
  cause: unknown,
): PlaceHolder {
  const why = cause instanceof Error ? cause.message : String(cause);
  const error = new GridError('batch-undecodable', `${kind}: ${why}`, { cause });
  return new PlaceHolder(lastOffset, context, { firstOffset, lastOffset, error });
}
