import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { murmur2, partitionOfKey } from './murmur2.ts';

describe('murmur2', () => {
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %s as the Java client does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('chooses the partition that the default partitioner of other clients chooses, for any key', () => {
    const standard = Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.integer({ min: 0 }).map(String),
          fc.string({ minLength: 400, maxLength: 600 }),
        ),
        fc.integer({ min: 1, max: 64 }),
        (key, partitions) => {
          const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
            partitionErrorCode: 0,
            partitionId,
            leader: 0,
            replicas: [0],
            isr: [0],
          }));
          const expected = standard({ topic: 't', partitionMetadata, message: { key, value: null } });
          expect(partitionOfKey(key, partitions)).toBe(expected);
          expect(partitionOfKey(Buffer.from(key), partitions)).toBe(expected);
        },
      ),
    );
  }, 30_000);
});
