import { z } from 'zod';

/** A 64-bit integer as the driver has it; its own number is lossy, its bytes are not. */
const int64 = z.custom<{ readonly buffer: Buffer; readonly offset: number }>(
  (value) => typeof value === 'object' && value !== null && 'buffer' in value && value.buffer instanceof Buffer,
);

/** NaN and the infinities too. */
const double = z.custom<number>((value) => typeof value === 'number');

const column = <T extends z.ZodType>(value: T) =>
  z.object({ values: z.array(value), nulls: z.custom<Uint8Array | string>().nullish() }).nullish();

const rowSet = z.object({
  columns: z
    .array(
      z.object({
        boolVal: column(z.boolean()),
        byteVal: column(z.number()),
        i16Val: column(z.number()),
        i32Val: column(z.number()),
        i64Val: column(int64),
        doubleVal: column(double),
        stringVal: column(z.string()),
        binaryVal: column(z.union([z.instanceof(Buffer), z.string()])),
      }),
    )
    .nullish(),
});

/**
 * The rows of one page as text: integers and decimals exact, FLOAT and DOUBLE in JavaScript's shortest form (`0.1`, `-0`, `1e+21`, `NaN`),
 * booleans `true` and `false`, BINARY in base64, date and time as Hive writes them, NULL as null.
 */
export function rowsOf(page: unknown): (string | null)[][] {
  const columns = (rowSet.parse(page).columns ?? []).map((each) => {
    const text = <T>(
      part: { values: T[]; nulls?: Uint8Array | string | null | undefined },
      write: (value: T) => string,
    ) => part.values.map((value, index) => (isNull(part.nulls, index) ? null : write(value)));
    if (each.stringVal) return text(each.stringVal, (value) => value);
    if (each.i64Val) return text(each.i64Val, (value) => value.buffer.readBigInt64BE(value.offset).toString());
    for (const part of [each.i32Val, each.i16Val, each.byteVal]) if (part) return text(part, String);
    if (each.doubleVal) return text(each.doubleVal, doubleText);
    if (each.boolVal) return text(each.boolVal, String);
    if (each.binaryVal) return text(each.binaryVal, (value) => Buffer.from(value).toString('base64'));
    return [];
  });
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => columns.map((values) => values[row] ?? null));
}

/** JavaScript writes both zeros as `0`. */
function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** `nulls` has a bit for each row, the lowest of each byte first. */
function isNull(nulls: Uint8Array | string | null | undefined, row: number): boolean {
  if (nulls === null || nulls === undefined) return false;
  const byte = typeof nulls === 'string' ? nulls.charCodeAt(row >> 3) : nulls[row >> 3];
  return byte !== undefined && !Number.isNaN(byte) && (byte & (1 << (row & 7))) !== 0;
}
