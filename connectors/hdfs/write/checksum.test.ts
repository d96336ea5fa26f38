import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksumOf, checksumText, crcTypeOf, FileDigest, type CrcType } from './checksum.ts';
import { crc, CRC32, CRC32C, type CrcTable } from './crc.ts';

const MIB = 1 << 20;

function crcOf(table: CrcTable, bytes: Uint8Array): number {
  return crc(table, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length) >>> 0;
}

/** The bytes whose checksums were asked of a real cluster, below. */
function pattern(lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let index = 0; index < lengthBytes; index++) bytes[index] = (index * 2_654_435_761) >>> 13;
  return bytes;
}

describe('CRC', () => {
  it.each([
    ['CRC32', CRC32, 0xcbf43926],
    ['CRC32C', CRC32C, 0xe3069283],
  ])('%s of the digits 1 to 9 is the check value of its catalogue entry', (_name, table, expected) => {
    expect(crcOf(table, Buffer.from('123456789'))).toBe(expected);
  });

  it.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
  ])('CRC32C of %s is what RFC 3720 B.4 says', (_name, bytes, expected) => {
    expect(crcOf(CRC32C, bytes)).toBe(expected);
  });

  it('CRC32 agrees with zlib at any length and alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(20), (bytes, skipped) => {
        const part = bytes.subarray(skipped);
        expect(crcOf(CRC32, part)).toBe(zlibCrc32(part));
      }),
    );
  });

  it('continues over a cut as if there were none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const first = crc(CRC32C, view, 0, cut);
        expect(crc(CRC32C, view, cut, bytes.length, first)).toBe(crc(CRC32C, view, 0, bytes.length));
      }),
    );
  });
});

describe('file checksum', () => {
  // Answers of GETFILECHECKSUM of Hadoop 3.4.3 for pattern(length) in blocks of 1 MiB.
  const answers: readonly [number, CrcType, string, string][] = [
    [0, 'CRC32', 'MD5-of-0MD5-of-0CRC32', '00000000000000000000000070bc8f4b72a86921468bf8e8441dce5100000000'],
    [0, 'CRC32C', 'MD5-of-0MD5-of-0CRC32', '00000000000000000000000070bc8f4b72a86921468bf8e8441dce5100000000'],
    [1, 'CRC32', 'MD5-of-0MD5-of-512CRC32', '000002000000000000000000ebf452eefb70eba37cea3f58278210aa00000000'],
    [1, 'CRC32C', 'MD5-of-0MD5-of-512CRC32C', '000002000000000000000000dc236201841049096ad31b6213203a9000000000'],
    [511, 'CRC32C', 'MD5-of-0MD5-of-512CRC32C', '000002000000000000000000842f4cf29d9fbded6a5e6e71b2eca00600000000'],
    [512, 'CRC32', 'MD5-of-0MD5-of-512CRC32', '000002000000000000000000c5c343208dc1dbd0dbd9ee0e24753aa500000000'],
    [513, 'CRC32C', 'MD5-of-0MD5-of-512CRC32C', '0000020000000000000000002d7cd73b3eaa9c68e84cafb6c30e761500000000'],
    [MIB - 1, 'CRC32', 'MD5-of-0MD5-of-512CRC32', '000002000000000000000000ae95c0f76b20f55e244990f84a82661800000000'],
    [MIB, 'CRC32', 'MD5-of-0MD5-of-512CRC32', '000002000000000000000000971f07c11602c56957a49abf3dbe238b00000000'],
    [
      MIB + 1,
      'CRC32',
      'MD5-of-2048MD5-of-512CRC32',
      '000002000000000000000800b4d52085038b4ec060a623d37724ae4c00000000',
    ],
    [
      3 * MIB,
      'CRC32C',
      'MD5-of-2048MD5-of-512CRC32C',
      '000002000000000000000800d56a91a6ecb6f9777fa10e18bb7148f900000000',
    ],
    [
      5 * MIB,
      'CRC32C',
      'MD5-of-2048MD5-of-512CRC32C',
      '00000200000000000000080025dc1280494a5155ddfeff0e27dc042400000000',
    ],
  ];

  it.each(answers)('of %i bytes with %s is what a real cluster answers', (length, type, algorithm, hex) => {
    expect(checksumOf(pattern(length), type, MIB)).toEqual({ algorithm, hex });
  });

  it('does not depend on how the bytes are cut into chunks', () => {
    const bytes = pattern(10_000);
    const whole = checksumText(checksumOf(bytes, 'CRC32C', 2_048));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 30 }), (sizes) => {
        const digest = new FileDigest('CRC32C', 2_048);
        let position = 0;
        for (const size of sizes) {
          digest.update(bytes.subarray(position, position + size));
          position = Math.min(bytes.length, position + size);
        }
        digest.update(bytes.subarray(position));
        expect(digest.lengthBytes).toBe(bytes.length);
        expect(checksumText(digest.finish())).toBe(whole);
      }),
    );
  });

  it('differs when a single bit does', () => {
    const bytes = pattern(5_000);
    const before = checksumOf(bytes, 'CRC32', 4_096);
    bytes[4_321] = (bytes[4_321] ?? 0) ^ 1;
    expect(checksumOf(bytes, 'CRC32', 4_096)).not.toEqual(before);
  });

  it('refuses a block size that chunks do not fill', () => {
    expect(() => new FileDigest('CRC32', 1_000)).toThrow(expect.objectContaining({ code: 'hdfs-refused' }));
    expect(() => new FileDigest('CRC32', 0)).toThrow(expect.objectContaining({ code: 'hdfs-refused' }));
  });

  it('knows which reported checksums it can compute', () => {
    expect(crcTypeOf({ algorithm: 'MD5-of-0MD5-of-512CRC32', hex: '' })).toBe('CRC32');
    expect(crcTypeOf({ algorithm: 'MD5-of-262144MD5-of-512CRC32C', hex: '' })).toBe('CRC32C');
    expect(crcTypeOf({ algorithm: 'MD5-of-0MD5-of-4096CRC32C', hex: '' })).toBeUndefined();
    expect(crcTypeOf({ algorithm: 'COMPOSITE-CRC32C', hex: '' })).toBeUndefined();
    expect(crcTypeOf({ algorithm: 'MD5-of-0MD5-of-0CRC32', hex: '' })).toBeUndefined();
  });
});
