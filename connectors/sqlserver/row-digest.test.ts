import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf as digestOfSums, RowDigest } from './row-digest.ts';

const sha = (row: string): Buffer => createHash('sha256').update(row, 'utf16le').digest();
const rowHash = (row: string): string => sha(row).toString('latin1');

const digestOf = (rows: readonly string[]): { rows: number; digest: string } => {
  const digest = new RowDigest();
  for (const row of rows) digest.add(rowHash(row));
  return digest.result();
};

/** The digest by its definition, in arbitrary precision. */
const byDefinition = (rows: readonly string[]): string => {
  const sum = rows
    .map((row) => BigInt(`0x${createHash('sha256').update(row, 'utf16le').digest('hex').slice(0, 32)}`))
    .reduce((total, value) => (total + value) % (1n << 128n), 0n);
  return createHash('md5')
    .update(Buffer.from(sum.toString(16).padStart(32, '0'), 'hex'))
    .digest('hex');
};

describe('the digest of a split', () => {
  it('is the sum of the hashes of its rows, whatever their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('😀', '\ud800', '\0')), { minLength: 1, maxLength: 40 }),
        (rows) => {
          const expected = { rows: rows.length, digest: byDefinition(rows) };
          expect(digestOf(rows)).toEqual(expected);
          expect(digestOf([...rows].reverse())).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('sees rows that are there twice, and is empty without rows', () => {
    expect(digestOf(['a', 'a'])).not.toEqual(digestOf(['b', 'b']));
    expect(digestOf(['a', 'a', 'b']).digest).not.toBe(digestOf(['b']).digest);
    expect(digestOf([])).toEqual({ rows: 0, digest: '' });
  });

  it('is the same from the sums that the database computes of the words', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 40 }), (rows) => {
        const sums = [0, 4, 8, 12].map((at) => rows.reduce((sum, row) => sum + BigInt(sha(row).readUInt32BE(at)), 0n));
        expect(digestOfSums(rows.length, sums)).toEqual(digestOf(rows));
      }),
      { numRuns: 50 },
    );
  });
});
