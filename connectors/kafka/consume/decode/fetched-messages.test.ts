import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { compress as compressLz4 } from 'lz4js';
import { describe, expect, it } from 'vitest';
import { undecodableBatchOf } from './fetched-message.ts';
import { decodeFetched } from './fetched-messages.ts';
import { decompressLz4Frames } from './lz4-frame.ts';

interface TestRecord {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

// kafkajs's own encoder, which it does not publish.
const require = createRequire(import.meta.url);
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: object) => unknown;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
};

async function encode(
  records: readonly TestRecord[],
  batch: { firstOffset?: number; lastOffsetDelta?: number; compression?: number } = {},
): Promise<Buffer> {
  const encoded = await RecordBatch({
    compression: 0,
    firstTimestamp: 1_000,
    lastOffsetDelta: records.length - 1,
    ...batch,
    records: records.map((record, index) => encodeRecord({ offsetDelta: index, ...record })),
  });
  return encoded.buffer;
}

const decode = async (bytes: Buffer): Promise<KafkaMessage[]> => (await decodeFetched(bytes)) as KafkaMessage[];

const text = (value: string): TestRecord => ({ key: null, value: Buffer.from(value) });
const values = (messages: readonly KafkaMessage[]) => messages.map(({ value }) => value?.toString());

describe('what a fetch brought', () => {
  it('is decoded to what was encoded, compressed or not', async () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
    const record = fc.record({
      key: bytes,
      value: bytes,
      timestampDelta: fc.integer({ min: 0, max: 2 ** 40 }),
      headers: fc.dictionary(
        fc.string({ maxLength: 20 }),
        fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 2 })),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1 }), fc.constantFrom(0, 1), async (records, compression) => {
        const messages = await decode(await encode(records, { firstOffset: 2 ** 45, compression }));
        const expected = records.map(({ key, value, timestampDelta, headers }, index) => ({
          offset: String(2 ** 45 + index),
          timestamp: String(1_000 + timestampDelta),
          key,
          value,
          headers: Object.entries(headers),
        }));
        const decoded = messages.map(({ offset, timestamp, key, value, headers }) => ({
          offset,
          timestamp,
          key,
          value,
          headers: Object.entries(headers ?? {}).map(([name, held]) => [
            name,
            Array.isArray(held) ? held.map(String) : String(held),
          ]),
        }));
        expect(decoded).toEqual(expected);
      }),
    );
  });

  it('may end within a batch, which is then fetched again', async () => {
    const whole = await encode([text('a'), text('b')]);
    const messages = await decode(
      Buffer.concat([whole, (await encode([text('c')], { firstOffset: 2 })).subarray(0, -1)]),
    );
    expect(values(messages)).toEqual(['a', 'b']);
  });

  it('goes on behind a batch whose last records compaction removed, all of them too', async () => {
    const some = await encode([text('a')], { lastOffsetDelta: 9 });
    const none = await encode([], { firstOffset: 10, lastOffsetDelta: 4 });
    const messages = await decode(Buffer.concat([some, none]));
    expect(messages.map(({ offset }) => offset)).toEqual(['0', '9', '14']);
    // kafkajs takes note of the offset of a control record, and hands it to nobody.
    expect(messages.slice(1)).toEqual([
      expect.objectContaining({ isControlRecord: true }),
      expect.objectContaining({ isControlRecord: true }),
    ]);
  });

  it('with a great many headers of one record is decoded in time', async () => {
    const headers = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [String(index), '']));
    const [message] = await decode(await encode([{ ...text('a'), headers }]));
    expect(Object.keys(message?.headers ?? {})).toHaveLength(50_000);
  });

  it('keeps a header that has the name of a member of Object', async () => {
    const headers = Object.fromEntries([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    const [message] = await decode(await encode([{ ...text('a'), headers }]));
    expect(Object.keys(message?.headers ?? {})).toEqual(['__proto__', 'constructor']);
  });
});

describe('a batch that cannot be decoded', () => {
  it('comes as where it begins and ends, behind all that is before it', async () => {
    const good = await encode([text('a')]);
    const damaged = await encode([text('b'), text('c')], { firstOffset: 1, compression: 1 });
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 5) ^ 1, damaged.length - 5);
    const behind = await encode([text('d')], { firstOffset: 3 });
    const messages = await decode(Buffer.concat([good, damaged, behind]));
    expect(values(messages)).toEqual(['a', undefined]);
    const [, last] = messages;
    expect(last === undefined ? undefined : undecodableBatchOf(last)).toMatchObject({
      firstOffset: 1,
      lastOffset: 2,
      error: { code: 'batch-undecodable', message: 'gzip: its checksum does not hold' },
    });
  });

  it('of a codec that is not known says so', async () => {
    const batch = await encode([text('a')]);
    batch.writeInt16BE(7, 21);
    const [message] = await decode(batch);
    expect(message === undefined ? undefined : undecodableBatchOf(message)?.error.message).toContain('codec 7');
  });

  it('never makes decoding throw or hang, whatever is wrong with it', async () => {
    const whole = Buffer.concat([
      await encode([text('some text'), { key: Buffer.from('k'), value: null, headers: { a: ['b', 'c'] } }]),
      await encode([text('more text')], { firstOffset: 2, compression: 1 }),
    ]);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(whole.length), async (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, byte] of changes) if (at < length) bytes[at] = byte;
        expect(Array.isArray(await decodeFetched(bytes))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('LZ4 frames', () => {
  const content = Buffer.from('{"payload":"{\\"sensor_id\\": 6, \\"modality\\": 421}"}\n'.repeat(5_000));
  const frame = Buffer.from(compressLz4(content));

  it('are decompressed, one or several, with anything to be skipped between', () => {
    const skipped = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7]);
    const all = decompressLz4Frames(Buffer.concat([frame, skipped, frame]), 2 * content.length);
    expect(all.equals(Buffer.concat([content, content]))).toBe(true);
  });

  it('may have a checksum behind each block', () => {
    const blockLength = frame.readUInt32LE(7);
    const header = Buffer.from(frame.subarray(0, 7));
    header[4] = (header[4] ?? 0) | 0b1_0000;
    const withChecksum = Buffer.concat([
      header,
      frame.subarray(7, 11 + blockLength),
      Buffer.alloc(4, 1),
      frame.subarray(11 + blockLength),
    ]);
    expect(decompressLz4Frames(withChecksum, content.length).equals(content)).toBe(true);
  });

  it('that become too much are refused', () => {
    expect(() => decompressLz4Frames(frame, content.length - 1)).toThrow(RangeError);
  });
});
