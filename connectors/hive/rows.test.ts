import { describe, expect, it } from 'vitest';
import { rowsOf } from './rows.ts';

const int64 = (value: bigint): unknown => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return { buffer, offset: 0 };
};

describe('a page of rows', () => {
  it('is the text of every field, exact', () => {
    const nulls = Buffer.from([0b10]);
    const none = Buffer.alloc(0);
    const columns = [
      { stringVal: { values: ['a', ''], nulls } },
      { i64Val: { values: [int64(2n ** 63n - 1n), int64(-(2n ** 63n))], nulls: none } },
      { i32Val: { values: [1, -2], nulls } },
      { doubleVal: { values: [0.1, Number.NaN], nulls: none } },
      { boolVal: { values: [true, false], nulls: none } },
      { binaryVal: { values: [Buffer.from([0, 255]), Buffer.alloc(0)], nulls: none } },
    ];
    expect(rowsOf({ startRowOffset: 0, rows: [], columns })).toEqual([
      ['a', '9223372036854775807', '1', '0.1', 'true', 'AP8='],
      [null, '-9223372036854775808', null, 'NaN', 'false', ''],
    ]);
  });

  it('finds the bit of a row in the byte it is in', () => {
    const values = Array.from({ length: 10 }, (_, index) => String(index));
    const rows = rowsOf({ columns: [{ stringVal: { values, nulls: Buffer.from([1, 2]) } }] });
    expect(rows.flatMap(([value], index) => (value === null ? [index] : []))).toEqual([0, 9]);
  });

  it('of doubles keeps what JavaScript would not write by itself', () => {
    const values = [-0, 0, Number.MIN_VALUE, -Infinity, 1e21, 0.1 + 0.2];
    const rows = rowsOf({ columns: [{ doubleVal: { values, nulls: Buffer.alloc(0) } }] });
    expect(rows.map(([value]) => value)).toEqual(['-0', '0', '5e-324', '-Infinity', '1e+21', '0.30000000000000004']);
    for (const [at, [value]] of rows.entries()) expect(Object.is(Number(value), values[at])).toBe(true);
  });

  it('may be empty', () => {
    expect(rowsOf({ columns: [] })).toEqual([]);
    expect(rowsOf({ columns: [{ stringVal: { values: [], nulls: Buffer.alloc(0) } }] })).toEqual([]);
  });
});
