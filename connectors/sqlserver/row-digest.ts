import { createHash } from 'node:crypto';
import type { SplitDigest } from '../../grid/history/sql-source.ts';

/** Words of a row's hash that are summed up. */
const WORDS = 4;
const WORD = 2 ** 32;

/**
 * The digest of a split: the sum modulo 2^128 of the first 16 bytes of its rows' hashes, under MD5. It does not depend on the
 * order of rows, so tables without a key have one too and the database sorts nothing; and unlike with an exclusive or, equal
 * rows do not cancel each other.
 */
export class RowDigest {
  /** Big-endian words of the sum, each below 2^32. */
  readonly #sum = new Float64Array(WORDS);
  #rows = 0;

  /** @param rowHash a character a byte */
  add(rowHash: string): void {
    this.#rows++;
    let carry = 0;
    for (let word = WORDS - 1; word >= 0; word--) {
      const at = word * 4;
      const value =
        rowHash.charCodeAt(at) * 0x1000000 +
        ((rowHash.charCodeAt(at + 1) << 16) | (rowHash.charCodeAt(at + 2) << 8) | rowHash.charCodeAt(at + 3));
      const total = (this.#sum[word] ?? 0) + value + carry;
      carry = total >= WORD ? 1 : 0;
      this.#sum[word] = carry === 1 ? total - WORD : total;
    }
  }

  get rows(): number {
    return this.#rows;
  }

  result(): SplitDigest {
    return digestOf(this.#rows, [...this.#sum].map(BigInt));
  }
}

/** The same from the sums of each word over all rows, as the database computes them. */
export function digestOf(rows: number, wordSums: readonly bigint[]): SplitDigest {
  if (rows === 0) return { rows: 0, digest: '' };
  const sum = wordSums.reduce((total, word) => (total << 32n) + word, 0n) % (1n << 128n);
  const bytes = Buffer.from(sum.toString(16).padStart(32, '0'), 'hex');
  return { rows, digest: createHash('md5').update(bytes).digest('hex') };
}
