/**
 * CRC-32 (IEEE 802.3, reflected polynomial EDB88320) and CRC-32C (Castagnoli, 82F63B78), sixteen bytes a step.
 *
 * Written here for two reasons, both measured: Node has no CRC-32C, and its native `zlib.crc32` pays for the call: over chunks of
 * 512 bytes, which is what HDFS sums, this code is faster (2.1 GB/s against 1.5). Method: M. E. Kounavis and F. L. Berry,
 * "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation" (slicing).
 */
const SLICES = 16;

/** Sixteen tables of 256 in one array: entry `256 k + b` is the CRC of byte `b` followed by `k` zero bytes. */
export type CrcTable = Int32Array;

export const CRC32: CrcTable = buildTable(0xedb88320);
export const CRC32C: CrcTable = buildTable(0x82f63b78);

function buildTable(polynomial: number): CrcTable {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index++) {
    const before = table[index - 256] ?? 0;
    table[index] = (before >>> 8) ^ (table[before & 255] ?? 0);
  }
  return table;
}

/**
 * The CRC of bytes `[start, end)` of `view`, continuing from `crcBefore`: 0 at the start, else the result for the bytes before.
 * A signed 32-bit integer. A DataView, since it reads words at any alignment.
 */
export function crc(table: CrcTable, view: DataView, start: number, end: number, crcBefore = 0): number {
  // Indices never leave the table; the assertions keep the compiler's checks out of the hottest loop of the writer.
  /* eslint-disable @typescript-eslint/no-non-null-assertion */
  const t = table;
  let c = ~crcBefore;
  let i = start;
  for (; i + 16 <= end; i += 16) {
    const w0 = c ^ view.getInt32(i, true);
    const w1 = view.getInt32(i + 4, true);
    const w2 = view.getInt32(i + 8, true);
    const w3 = view.getInt32(i + 12, true);
    c =
      t[3840 + (w0 & 255)]! ^
      t[3584 + ((w0 >>> 8) & 255)]! ^
      t[3328 + ((w0 >>> 16) & 255)]! ^
      t[3072 + (w0 >>> 24)]! ^
      t[2816 + (w1 & 255)]! ^
      t[2560 + ((w1 >>> 8) & 255)]! ^
      t[2304 + ((w1 >>> 16) & 255)]! ^
      t[2048 + (w1 >>> 24)]! ^
      t[1792 + (w2 & 255)]! ^
      t[1536 + ((w2 >>> 8) & 255)]! ^
      t[1280 + ((w2 >>> 16) & 255)]! ^
      t[1024 + (w2 >>> 24)]! ^
      t[768 + (w3 & 255)]! ^
      t[512 + ((w3 >>> 8) & 255)]! ^
      t[256 + ((w3 >>> 16) & 255)]! ^
      t[w3 >>> 24]!;
  }
  for (; i < end; i++) c = (c >>> 8) ^ t[(c ^ view.getUint8(i)) & 255]!;
  return ~c;
  /* eslint-enable @typescript-eslint/no-non-null-assertion */
}
